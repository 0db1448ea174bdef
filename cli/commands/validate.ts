/** `dagctl validate FILE|DIR…`: everything that can be checked without running, dagctl.yaml too, also unasked where it has errors. Opens no store. */
import { basename, normalize, relative, resolve } from 'node:path'
import type { CheckedFile } from '../../dsl/compile.ts'
import type { Problem } from '../../dsl/problems.ts'
import { DagctlError, exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { type Checked, checkFile, isNew, problemRow, reportOf } from '../pipelines.ts'
import { counted } from '../print.ts'
import { configName, type Settings } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { yamlFiles } from '../yaml-files.ts'

interface Options {
  readonly strict?: boolean
}

/** Declares `dagctl validate`. */
export const validate: Declare = (command, context) => {
  command
    .argument('<path...>', 'pipeline files, dagctl.yaml, or folders: every .yaml file in and below them')
    .option('--strict', 'warnings are errors')
    .addHelpText('after', '\nFormats: text, json, sarif (code scanning), github (annotations).')
    .addHelpText(
      'after',
      examples(
        'validate pipelines/',
        'validate pipeline.yaml --strict',
        'validate pipelines/ --format sarif',
      ),
    )
    .action(action<Options>(context, check, ['text', 'json', 'sarif', 'github'], 'ignored'))
}

async function check(
  { terminal, settings, options }: Call<Options>,
  paths: readonly string[],
): Promise<number> {
  const files = (await Promise.all(paths.map((path) => filesOf(path, terminal)))).flat()
  const checked: Checked[] = []
  const { config, broken, installation } = settings
  if (config !== null && broken) files.push(relative(terminal.cwd, config))
  for (const file of unique(files, terminal)) {
    const strict = options.strict === true
    if (isConfig(file, settings, terminal))
      checked.push(await (await import('../config.ts')).checkConfig(file, terminal))
    else checked.push(await checkFile(file, terminal, strict, broken ? null : installation))
  }
  const ok = !checked.some(hasErrors)
  if (settings.json) printJson(terminal, documentOf(checked, ok))
  else if (settings.format === 'text') await printText(checked, terminal)
  else {
    const { toGithub, toSarif } = await import('../problem-formats.ts')
    if (settings.format === 'sarif') printJson(terminal, toSarif(checked))
    else terminal.out.write(toGithub(checked))
  }
  return ok ? exits.ok : exits.invalid
}

/** Each file once, under the name that it has first. */
function unique(files: readonly string[], { cwd }: Terminal): Iterable<string> {
  const named = new Map<string, string>()
  for (const file of files) if (!named.has(resolve(cwd, file))) named.set(resolve(cwd, file), file)
  return named.values()
}

/** Whether a file is an installation's settings: by its name, or since `--config` names it. */
function isConfig(file: string, { config }: Settings, { cwd }: Terminal): boolean {
  return basename(file) === configName || resolve(cwd, file) === config
}

function hasErrors({ problems }: { readonly problems: readonly Problem[] }): boolean {
  return problems.some(({ severity }) => severity === 'error')
}

/** One entry for each file that was named, then one for each other file in which something is wrong. */
function documentOf(checked: readonly Checked[], ok: boolean): object {
  const named = checked.map((one) => ({ ...one, problems: ownProblems(one) }))
  const files = new Map<string, object>()
  for (const { file, name, version, tasks, problems } of [...named, ...usedOnly(checked)])
    files.set(file, { file, pipeline: name, version, tasks, problems: problems.map(problemRow) })
  return { ok, files: [...files.values()] }
}

function ownProblems({ file, problems }: Checked): readonly Problem[] {
  return problems.filter((problem) => problem.file === file)
}

/** The files that are used but not named, as far as something is wrong with them. */
function usedOnly(checked: readonly Checked[]): readonly (CheckedFile & { readonly version: null })[] {
  const named = new Set(checked.map(({ file }) => normalize(file)))
  return checked
    .flatMap(({ used }) => used)
    .filter(({ file, problems }) => problems.length > 0 && !named.has(normalize(file)))
    .map((file) => ({ ...file, version: null }))
}

async function printText(checked: readonly Checked[], { out, err }: Terminal): Promise<void> {
  const told = new Set<string>()
  for (const one of checked) {
    const { file, name, tasks, forUse, used } = one
    const report = await reportOf({ ...one, problems: one.problems.filter(isNew(told)) })
    if (report !== '') err.write(`${report}\n`)
    const errors = ownProblems(one).filter(({ severity }) => severity === 'error').length
    const broken = used.filter(hasErrors).map((other) => other.file)
    if (errors > 0) out.write(`${file}: ${counted(errors, 'error')}\n`)
    else if (name === null) out.write(`${file}: ok, settings\n`)
    else if (broken.length > 0) out.write(`${file}: uses ${broken.join(', ')}, which is not valid\n`)
    else {
      const kind = forUse ? 'group' : 'pipeline'
      out.write(`${file}: ok, ${kind} ${name}, ${counted(tasks, 'task')}\n`)
    }
  }
}

/** The files that a path stands for. Tests of pipelines are none. */
async function filesOf(path: string, terminal: Terminal): Promise<readonly string[]> {
  const files = await yamlFiles(path, terminal, isOurs)
  if (files.length > 0) return files
  throw new DagctlError('E203', `the folder ${path} holds no pipeline`, {
    kind: 'usage',
    hint: 'pipelines are files that end in .yaml; `dagctl init --template quickstart` makes one',
  })
}

function isOurs(name: string): boolean {
  return name.endsWith('.yaml') && !name.startsWith('.') && !name.endsWith('.test.yaml')
}
