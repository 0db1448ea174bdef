/** The values of a pipeline's parameters, when a run is asked for. */
import { DagctlError } from '../engine/errors.ts'
import type { Json, JsonSchema } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { compileSchema } from './json-schema.ts'
import { aboutParam } from './params-check.ts'
import { typeNames } from './types.ts'
import { didYouMean, either, quote } from './words.ts'

/**
 * The parameters of a run: what was given, strings read by the parameter's type, and defaults for the rest.
 * Throws a DagctlError (usage): E170 an unknown name, E171 a missing value, E172 a value that does not match.
 * @param how where a missing one can be given, as a hint
 */
export function resolveParams(
  pipeline: Pick<Pipeline, 'name' | 'params'>,
  given: { readonly [name: string]: string | Json },
  how: (name: string) => string = (name) => `give it by \`--param ${name}=VALUE\``,
): { readonly [name: string]: Json } {
  const names = Object.keys(pipeline.params)
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(pipeline.params, name)) continue
    const fallback =
      names.length === 0 ? 'the pipeline has no parameters' : `there are ${either(names.map(quote), 'and')}`
    throw new DagctlError(
      'E170',
      `unknown parameter ${quote(name)}`,
      usage(didYouMean(name, names, fallback)),
    )
  }
  const values = names.map((name) => {
    const schema = pipeline.params[name] ?? {}
    const raw = Object.hasOwn(given, name) ? given[name] : undefined
    if (raw !== undefined) return [name, resolved(name, schema, raw)]
    if (schema.default !== undefined) return [name, schema.default as Json]
    throw new DagctlError('E171', `the parameter ${quote(name)} is missing`, usage(how(name)))
  })
  return Object.fromEntries(values)
}

function resolved(name: string, schema: JsonSchema, raw: string | Json): Json {
  const validate = compileSchema(schema)
  const value = typeof raw === 'string' ? read(name, raw, schema) : raw
  const [mismatch] = validate(value)
  if (!mismatch) return value
  // A string that is no number may still be what a schema with several types means.
  if (value !== raw && validate(raw).length === 0) return raw
  throw new DagctlError('E172', aboutParam('the parameter', name, mismatch), usage(mismatch.hint))
}

function read(name: string, text: string, schema: JsonSchema): Json {
  const found = readText(text, schema)
  if ('value' in found) return found.value
  const message = `the parameter ${quote(name)} holds ${quote(found.lost)}, a number too large to keep`
  throw new DagctlError('E172', message, usage(null))
}

/**
 * Reads a string as the schema's type: the string itself if it may be one and nothing else, else as JSON if it is JSON.
 * `lost` is a number in it that is too large to keep.
 */
export function readText(
  text: string,
  schema: JsonSchema,
): { readonly value: Json } | { readonly lost: string } {
  const names = typeNames(schema)
  if (names === null || (names.size === 1 && names.has('string'))) return { value: text }
  const lost: string[] = []
  const reviver = (_key: string, value: Json, { source = '' }: { readonly source?: string } = {}) => {
    if (typeof value === 'number' && isLost(value, source)) lost.push(source)
    return value
  }
  let value: Json
  try {
    value = JSON.parse(text, reviver) as Json
  } catch {
    return { value: text }
  }
  if (lost.length === 0) return { value }
  return names.has('string') ? { value: text } : { lost: lost[0] ?? '' }
}

/** Whether a number is no longer what was written: infinite, or a whole number that was rounded. */
function isLost(value: number, source: string): boolean {
  return !Number.isFinite(value) || (/^-?\d+$/.test(source) && !Number.isSafeInteger(value))
}

function usage(hint: string | null): { kind: 'usage'; hint?: string } {
  return hint === null ? { kind: 'usage' } : { kind: 'usage', hint }
}
