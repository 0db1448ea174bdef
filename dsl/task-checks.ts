/** What is wrong with one task, and what its texts mention. Makes nothing of it. */
import type { OperatorInfo, Task } from '../engine/pipeline.ts'
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { checkGroupKeys } from './group.ts'
import type { Validator } from './json-schema.ts'
import { checkKey, checkTwins, checkUnmapped, itemTypeOf } from './mapping.ts'
import { checkEffects, checkPool, checkProduces, effectsOf } from './placement.ts'
import type { Path } from './positions.ts'
import { recoverOf } from './recover.ts'
import { nothing } from './recovery-defaults.ts'
import type { Report } from './report.ts'
import { type Context, hasPlainInput, inputOf, runtimeOf, visibleIn } from './task-context.ts'
import { checkInput, shellPointersOf } from './task-input.ts'
import { TaskReferences, type Templated } from './task-references.ts'
import type { Visible } from './visible.ts'
import { either, quote } from './words.ts'

/** What the checks of a task find that its compiled form needs. */
export interface Checked {
  readonly references: TaskReferences
  /** The names that `when` mentions. */
  readonly inWhen: ReadonlySet<string>
  readonly recover: Task['recover']
}

/** Checks one task; a task whose operator is unknown as far as that goes. */
export function checkTask(
  id: string,
  file: TaskFile,
  operator: OperatorInfo | undefined,
  context: Context,
): Checked {
  const { report, languages } = context
  const path: Path = ['tasks', id]
  const { visible, foreach } = visibleTo(id, file, context)
  const references = new TaskReferences(visible, report, languages, foreach)
  const templates = templatesOf(file, operator, path, references)
  const inWhen = checkTexts(file, path, references)
  checkKeys(id, file, references, context)
  if (!operator) return { references, inWhen, recover: undefined }
  if (file.use === undefined) checkOperator(file, operator, path, context)
  const input = inputOf(file)
  checkInput(
    { value: input, path: inputPath(file, path), operator, isFile: file.use !== undefined, templates },
    hasPlainInput(file, operator) ? matchesAlways : (languages.schema?.(operator.input) ?? matchesAlways),
    report,
  )
  const recovering = {
    path,
    entries: file.recover ?? nothing,
    operator,
    runtime: runtimeOf(file, operator),
    input,
    templates,
    fallbacks: context.fallbacks,
    schema: languages.schema,
  }
  const apart = (aside: Report) => new TaskReferences(visible, aside, languages)
  return { references, inWhen, recover: recoverOf(recovering, { references, report }, apart) }
}

/** Where the task writes its input. */
function inputPath(file: TaskFile, path: Path): Path {
  return [...path, file.run === undefined ? 'with' : 'run']
}

/** The templated strings of the input, by their place in it. */
function templatesOf(
  file: TaskFile,
  operator: OperatorInfo | undefined,
  path: Path,
  references: TaskReferences,
): ReadonlyMap<string, Templated> {
  const at = inputPath(file, path)
  if (file.run === undefined)
    return references.templates(file.with ?? {}, at, 'with', operator ? shellPointersOf(operator) : [])
  const read = references.templates(file.run, at, 'with', [''])
  return new Map([...read].map(([pointer, templated]) => [`/command${pointer}`, templated]))
}

/** Checks the keys that go with some others only, and what they name. */
function checkKeys(id: string, file: TaskFile, references: TaskReferences, { report, pools }: Context): void {
  const path: Path = ['tasks', id]
  if (file.foreach !== undefined && file.key !== undefined) {
    checkKey(file.key, [...path, 'key'], references, report)
    checkTwins(file.foreach, file.key, [...path, 'key'], report)
  }
  checkUnmapped(file, path, report)
  checkPool(file, path, pools, report)
  checkProduces(file, [...path, 'produces'], references, report)
  if (file.run !== undefined && file.with !== undefined)
    report.atKey([...path, 'with'], {
      code: 'E110',
      message: '`with` cannot stand beside `run`',
      hint: 'write `uses: Shell`',
    })
  if (file.use !== undefined) checkGroupKeys(id, file, report)
}

/** Checks the texts besides the input; gives the names that `when` mentions. */
function checkTexts(file: TaskFile, path: Path, references: TaskReferences): ReadonlySet<string> {
  if (file.env) references.templates(file.env, [...path, 'env'], 'env')
  if (file.cache?.files) references.templates(file.cache.files, [...path, 'cache', 'files'], 'cache.files')
  file.gate?.forEach((expression, index) => {
    references.expression(expression, [...path, 'gate', index], 'gate')
  })
  return file.when === undefined ? noNames : references.expression(file.when, [...path, 'when'], 'when')
}

const noNames: ReadonlySet<string> = new Set()

const matchesAlways: Validator = () => []

/** What the task sees. Reads its `foreach`, whose items the rest of the task may mention. */
function visibleTo(
  self: string,
  file: TaskFile,
  context: Context,
): { visible: Visible; foreach: TaskReferences | null } {
  const { report, languages } = context
  const visible = visibleIn(context, self, file)
  if (file.foreach === undefined) return { visible, foreach: null }
  const references = new TaskReferences(visible, report, languages)
  const type = itemTypeOf(file.foreach, ['tasks', self, 'foreach'], references, report)
  return { visible: { ...visible, item: { type } }, foreach: references }
}

function checkOperator(
  file: TaskFile,
  operator: OperatorInfo,
  path: Path,
  { report, fallbacks }: Context,
): void {
  checkEffects(file, operator, path, report)
  const name = quote(operator.name)
  if (typeof file.runtime === 'string' && !operator.runtimes.includes(file.runtime)) {
    const hint = `it runs in ${either(operator.runtimes.map(quote))}`
    report.atValue([...path, 'runtime'], {
      code: 'E127',
      message: `${name} does not run in ${quote(file.runtime)}`,
      hint,
    })
  }
  if (!file.cache) return
  const refused = operator.sensor
    ? 'a sensor looks at the world, which a cache cannot know'
    : effectsOf(file, operator, fallbacks) === 'deploy'
      ? 'a deployment must happen'
      : null
  if (refused)
    report.atKey([...path, 'cache'], {
      code: 'E142',
      message: `${name} cannot be cached: ${refused}`,
      hint: 'remove `cache`',
    })
  else if (operator.name === 'Shell' && file.cache.files === undefined)
    report.atKey([...path, 'cache'], {
      code: 'E142',
      message: 'the cache of a command needs `files`',
      hint: 'list the files that the command reads, or `files: []`',
    })
}
