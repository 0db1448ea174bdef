/** B4: how long the command line takes to start, beside Node alone; the built package and the sources. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { timeSync } from './process.ts'
import { publishInto, root } from './published.ts'
import type { Row, Side, Workload } from './workload.ts'

const small = `dagctl: 1
pipeline: small
tasks:
  extract: { run: ./extract.sh }
  load: { needs: [extract], uses: Shell, with: { command: "./load.sh {{ tasks.extract.outputs.file }}" } }
`

/** Measures `--version` and `validate`. */
export async function startup(): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const file = join(folder, 'small.yaml')
  writeFileSync(file, small)
  publishInto(folder)
  const node = (name: string, args: string[]): Side => ({
    name,
    run: async () => timeSync(process.execPath, args, { cwd: folder }),
  })
  const bare = node('node -e 0', ['-e', '0'])
  const row = (workload: string, goal: string, home: string, args: string[]): Row => ({
    workload,
    unit: 'ms',
    goal,
    rounds: 21,
    ours: node('dagctl', [join(home, 'bin/dagctl.mjs'), ...args]),
    others: [bare],
  })
  return {
    rows: [
      row('--version, package', '<= 1.3', folder, ['--version']),
      row('--version, sources', '<= 1.3', root, ['--version']),
      row('validate, package', '<= 2.2', folder, ['validate', file]),
      row('validate, sources', '', root, ['validate', file]),
    ],
    notes: ['the compile cache is warm after the first round'],
    dispose: () => rmSync(folder, { recursive: true }),
  }
}
