/** A task's `with` against the input schema of its operator (or of the file that it uses), where templates stand for what they will give. */
import type { JsonSchema } from '../engine/json.ts'
import type { OperatorInfo } from '../engine/pipeline.ts'
import { keysOf, pointerPart, pointerTo } from '../engine/pointer.ts'
import type { Mismatch, Validator } from './json-schema.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import type { Templated } from './task-references.ts'
import { fits, step, straying, type Type, typeInWords, typeNames } from './types.ts'
import { quote } from './words.ts'

/** The input of one task. */
export interface TaskInput {
  readonly value: unknown
  /** Where `with` (or `run`) stands in the file. */
  readonly path: Path
  readonly operator: OperatorInfo
  /** Whether `operator` stands for a file. */
  readonly isFile?: boolean
  readonly templates: ReadonlyMap<string, Templated>
  /** Where it is given, only what is wrong below these keys is said. */
  readonly only?: ReadonlySet<string>
}

/** Reports what does not match the operator's input schema. */
export function checkInput(input: TaskInput, validate: Validator, report: Report): void {
  const { operator, templates, path, only } = input
  for (const mismatch of validate(input.value)) {
    if (only && !only.has(String(mismatch.path[0]))) continue
    if (counts(mismatch, templates)) reportMismatch(mismatch, input, report)
  }
  for (const [pointer, templated] of templates) {
    const keys = keysOf(pointer)
    if (only && !only.has(keys[0] ?? '')) continue
    const wanted = schemaAt(operator.input, keys)
    if (wanted === null || !templated.whole) continue
    const complaint = typeComplaint(templated, wanted, operator.input, keys)
    if (complaint) report.atValue(path.concat(inFile(keys, path)), { code: 'E129', ...complaint })
  }
}

/** `run:` is the command itself, so that nothing below it has a place of its own. */
function inFile(keys: readonly string[], path: Path): readonly string[] {
  return path.at(-1) === 'run' ? [] : keys
}

function reportMismatch(
  { message, subject, path, atKey, hint }: Mismatch,
  input: TaskInput,
  report: Report,
): void {
  const place = input.path.concat(inFile(path.map(String), input.path))
  const name = quote(path.join('.'))
  const text = subject
    ? path.length === 0
      ? `the input of ${quote(input.operator.name)} ${message}`
      : `${name} ${message}`
    : message
  const complaint = {
    code: 'E128',
    message: `${text} (${input.isFile ? 'file' : 'operator'} ${quote(input.operator.name)})`,
    hint,
  } as const
  if (atKey) report.atKey(place, complaint)
  else report.atValue(place, complaint)
}

/** What is said of a templated string is said of its text, not of its value: only that a string is wrong at all counts. */
function counts({ path, keyword, schema }: Mismatch, templates: ReadonlyMap<string, Templated>): boolean {
  if (templates.size === 0) return true
  const pointer = pointerTo(path)
  const here = templates.get(pointer)
  if (here)
    return (
      !here.whole &&
      (keyword === 'type' ||
        ((keyword === 'oneOf' || keyword === 'anyOf') && typeNames(schema)?.has('string') === false))
    )
  if (!aboutContent.has(keyword)) return true
  return ![...templates.keys()].some((key) => key.startsWith(`${pointer}/`))
}

/** Keywords whose verdict depends on values further inside. */
const aboutContent = new Set([
  'oneOf',
  'anyOf',
  'not',
  'if',
  'contains',
  'uniqueItems',
  'enum',
  'const',
  'x-schema',
])

function typeComplaint(
  { typed }: Templated,
  wanted: JsonSchema,
  root: Type,
  keys: readonly string[],
): { message: string; hint?: string } | null {
  const name = quote(keys.join('.'))
  const { type, root: own } = typed
  if (!fits(type, wanted, { from: own, to: root })) {
    const [got, want] = [typeNames(type, own), typeNames(wanted, root)]
    const numeric = got?.has('number') && want?.has('integer')
    return {
      message: `${name} must be ${typeInWords(wanted, root)}, not ${typeInWords(type, own)}`,
      ...(numeric ? { hint: 'declare the number as `integer`' } : {}),
    }
  }
  const stray = straying(type, wanted)
  if (stray === undefined) return null
  const allowed = (wanted.enum as readonly unknown[]).map((value) => quote(String(value))).join(', ')
  return { message: `${name} may become ${quote(String(stray))}`, hint: `allowed are ${allowed}` }
}

function schemaAt(root: JsonSchema, keys: readonly string[]): JsonSchema | null {
  let type: Type = root
  for (const key of keys) {
    const next = step(type, key, root)
    if ('fault' in next) return null
    type = next.type
  }
  return type
}

const marks = ['x-shell', 'x-endpoint', 'x-pipeline'] as const
type Mark = (typeof marks)[number]
type Pointers = { readonly [mark in Mark]: readonly string[] }

/** JSON pointers of a schema's properties with this mark; `*` stands for any item or key. */
function pointersOf(schema: JsonSchema, mark: Mark, pointer = '', depth = 0): readonly string[] {
  if (schema[mark] === true) return [pointer]
  if (depth > 5) return []
  const inside = (child: unknown, key: string) =>
    typeof child === 'object' && child !== null
      ? pointersOf(child as JsonSchema, mark, `${pointer}/${key}`, depth + 1)
      : []
  return [
    ...Object.entries((schema.properties ?? {}) as JsonSchema).flatMap(([key, child]) =>
      inside(child, pointerPart(key)),
    ),
    ...inside(schema.items, '*'),
    ...inside(schema.additionalProperties, '*'),
  ]
}

const marked = new WeakMap<JsonSchema, Pointers>()

function markedOf({ input }: OperatorInfo): Pointers {
  const known = marked.get(input)
  if (known) return known
  const pointers = Object.fromEntries(marks.map((mark) => [mark, pointersOf(input, mark)])) as Pointers
  marked.set(input, pointers)
  return pointers
}

/** JSON pointers into the operator's input of what is quoted for the shell. */
export function shellPointersOf(operator: OperatorInfo): readonly string[] {
  return markedOf(operator)['x-shell']
}

/** JSON pointers into the operator's input of names or files of pipelines. */
export function pipelinePointersOf(operator: OperatorInfo): readonly string[] {
  return markedOf(operator)['x-pipeline']
}

/** JSON pointers into the operator's input of the URLs of services. */
export function endpointPointersOf(operator: OperatorInfo): readonly string[] {
  return markedOf(operator)['x-endpoint']
}
