/** B1 beside other engines: the same 1,000 commands through Dagu and Snakemake, where they are on the path. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { timeSync, versionOf } from './process.ts'
import { publishInto } from './published.ts'
import { count, dagctlRun, pipelineOf } from './shell.ts'
import type { Row, Side, Workload } from './workload.ts'

const lanes = availableParallelism()

function dagu(folder: string, chained: boolean): Side | null {
  if (spawnSync('dagu', ['version']).status !== 0) return null
  const steps = Array.from({ length: count }, (_, index) => {
    const needs = chained && index > 0 ? `\n    depends: [t${index - 1}]` : ''
    return `  - name: t${index}\n    command: /bin/true${needs}`
  })
  const file = join(folder, `dagu-${chained}.yaml`)
  writeFileSync(file, `type: graph\nmaxActiveSteps: ${lanes}\nsteps:\n${steps.join('\n')}\n`)
  let homes = 0
  return {
    name: 'dagu start',
    run: async () =>
      timeSync('dagu', ['start', '--quiet', file], {
        cwd: folder,
        env: { ...process.env, DAGU_HOME: join(folder, `dagu-${chained}-${homes++}`) },
      }),
  }
}

function snakemake(folder: string, chained: boolean): Side | null {
  if (versionOf('snakemake') === null) return null
  const rules = Array.from({ length: count }, (_, index) => {
    const needs = chained && index > 0 ? `\n    input: "t${index - 1}.done"` : ''
    return `rule t${index}:${needs}\n    output: touch("t${index}.done")\n    shell: "/bin/true"`
  })
  const all = `rule all:\n    input: expand("t{n}.done", n=range(${count}))`
  const file = join(folder, `snakefile-${chained}`)
  writeFileSync(file, `${all}\n${rules.join('\n')}\n`)
  let homes = 0
  return {
    name: `snakemake -j${lanes}`,
    run: async () => {
      const cwd = join(folder, `snakemake-${chained}-${homes++}`)
      mkdirSync(cwd)
      return timeSync('snakemake', [`-j${lanes}`, '--quiet', 'all', '-s', file], { cwd })
    },
  }
}

/** Measures whole commands, start-up included. */
export async function engines(): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const launcher = publishInto(folder)
  const row = (chained: boolean): Row => {
    const name = chained ? 'chain' : 'wide'
    writeFileSync(join(folder, `${name}.yaml`), pipelineOf(chained))
    const others = [dagu(folder, chained), snakemake(folder, chained)].filter((side) => side !== null)
    return {
      workload: `${name}, ${count} x /bin/true`,
      unit: 'ms',
      goal: '<= 0.04 x Dagu',
      ours: dagctlRun(launcher, folder, `${name}.yaml`),
      others,
    }
  }
  const { stdout, stderr } = spawnSync('dagu', ['version'], { encoding: 'utf8' })
  const version = `${stdout ?? ''}${stderr ?? ''}`.trim()
  return {
    rows: [row(false), row(true)],
    notes: [
      'package; SQLite in WAL mode, synchronous=FULL; the whole command with its start-up, each run in a fresh data folder',
      version === '' ? 'no Dagu on this machine' : `Dagu ${version} (npm package @dagu-org/dagu-linux-x64)`,
      `Snakemake ${versionOf('snakemake') ?? 'is not on this machine'}`,
    ],
    dispose: () => rmSync(folder, { recursive: true }),
  }
}
