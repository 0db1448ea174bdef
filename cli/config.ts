/** Reads dagctl.yaml from where it was found. Knows none of its keys. */
import { relative } from 'node:path'
import { InvalidFile } from './failure.ts'
import { type Checked, problemRow, readWhole, reportOf } from './pipelines.ts'
import { type Config, noConfig } from './settings.ts'
import type { Terminal } from './terminal.ts'

/**
 * The settings that the file holds. Throws E202 or E203 where it cannot be read, and E302 with every problem where it has
 * errors; where those are `ignored` it holds nothing.
 * @param path absolute
 */
export async function readConfigFile(
  path: string,
  terminal: Terminal,
  broken: 'refused' | 'ignored',
): Promise<Config> {
  const file = relative(terminal.cwd, path)
  const { bytes, installation, problems } = await read(file, terminal)
  if (installation !== null) return { config: path, broken: false, installation }
  if (broken === 'ignored') return { ...noConfig, config: path, broken: true }
  const report = await reportOf({ file, problems, bytes, used: [] })
  throw new InvalidFile('E302', `${file} has errors`, report, problems.map(problemRow))
}

/** Checks a dagctl.yaml, as named on the command line. Throws E202 or E203 where it cannot be read. */
export async function checkConfig(file: string, terminal: Terminal): Promise<Checked> {
  const { bytes, problems } = await read(file, terminal)
  return {
    file,
    bytes,
    problems,
    pipeline: null,
    name: null,
    version: null,
    tasks: 0,
    forUse: false,
    used: [],
  }
}

async function read(file: string, { cwd }: Terminal) {
  const bytes = await readWhole(file, cwd, 'a settings file')
  const { readConfig } = await import('../dsl/config.ts')
  return { bytes, ...(await readConfig({ text: bytes, file })) }
}
