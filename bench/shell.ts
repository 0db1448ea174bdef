/** B1: 1,000 commands that do nothing, wide and in a chain, through the command line, beside tools that only run commands. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { timeSync, versionOf } from './process.ts'
import { publishInto } from './published.ts'
import type { Side, Workload } from './workload.ts'

/** Commands. */
export const count = 1_000
const lanes = String(availableParallelism())

/** The workload as a pipeline file. */
export function pipelineOf(chained: boolean): string {
  const tasks = Array.from({ length: count }, (_, index) => {
    const needs = chained && index > 0 ? `needs: [t${index - 1}], ` : ''
    return `  t${index}: { ${needs}run: /bin/true }`
  })
  return `dagctl: 1\npipeline: shell\ntasks:\n${tasks.join('\n')}\n`
}

function makefile(): string {
  const targets = Array.from({ length: count }, (_, index) => `t${index}`)
  return `all: ${targets.join(' ')}\n${targets.map((target) => `${target}:\n\t@/bin/true`).join('\n')}\n`
}

/** What the disk charges for a file, folder included, rounded. */
function microsecondsPerFile(folder: string): number {
  const began = performance.now()
  for (let file = 0; file < count; file++) {
    mkdirSync(join(folder, `files/${file}`), { recursive: true })
    writeFileSync(join(folder, `files/${file}/file`), '{}')
  }
  return Math.round(((performance.now() - began) * 1000) / count)
}

let runs = 0

/** A whole run, in a data folder of its own below the folder. */
export function dagctlRun(launcher: string, folder: string, file: string): Side {
  return {
    name: 'dagctl run',
    run: async () =>
      timeSync(process.execPath, [launcher, 'run', file, '--json', '--data', `data${runs++}`], {
        cwd: folder,
      }),
  }
}

/** Measures the whole command, start-up included. */
export async function shell(): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  for (const chained of [false, true])
    writeFileSync(join(folder, chained ? 'chain.yaml' : 'wide.yaml'), pipelineOf(chained))
  writeFileSync(join(folder, 'Makefile'), makefile())
  const launcher = publishInto(folder)
  const dagctl = (file: string) => dagctlRun(launcher, folder, file)
  const peer = (name: string, command: string, args: string[]): Side => ({
    name,
    run: async () => timeSync(command, args, { cwd: folder }),
  })
  const make = versionOf('make')
  const perFile = microsecondsPerFile(folder)
  const xargs = peer(`xargs -P${lanes} sh -c`, 'sh', [
    '-c',
    `seq ${count} | xargs -P${lanes} -I@ sh -c /bin/true`,
  ])
  const loop = peer('sh loop', 'sh', ['-c', `i=0; while [ $i -lt ${count} ]; do /bin/true; i=$((i+1)); done`])
  return {
    rows: [
      {
        workload: `wide, ${count} x /bin/true`,
        unit: 'ms',
        goal: '<= 1.25 x xargs',
        ours: dagctl('wide.yaml'),
        others: [xargs, ...(make ? [peer(`make -j${lanes}`, 'make', [`-j${lanes}`, '-s'])] : [])],
      },
      {
        workload: `chain, ${count} x /bin/true`,
        unit: 'ms',
        goal: '<= 3 x sh loop',
        ours: dagctl('chain.yaml'),
        others: [loop],
      },
    ],
    notes: [
      'package; SQLite in WAL mode, synchronous=FULL; the whole command with its start-up, each run in a fresh data folder',
      `making a small file in a new folder took ${perFile} µs: an attempt has up to six files in four folders, xargs and make have none`,
      'nothing is removed before the end: for minutes after many files were, ext4 takes several times as long to make one',
      `${versionOf('xargs') ?? 'xargs'}, ${make ?? 'no make on this machine'}`,
    ],
    dispose: () => rmSync(folder, { recursive: true }),
  }
}
