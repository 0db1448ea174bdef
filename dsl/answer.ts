/** The values of a person's answer, read and checked by the form of the question. Knows nothing of runs. */
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import { type Mismatch, type Validator, validatorOf } from './json-schema.ts'
import { readText } from './params.ts'
import { didYouMean, either, quote } from './words.ts'

/** An answer's values as they were given: words by name, read by the form's types, over whole values. */
export interface GivenAnswer {
  readonly words: readonly (readonly [name: string, text: string])[]
  readonly values: JsonObject
  /** Whether what the form requires must be there. */
  readonly complete: boolean
}

/** What an answer came to: all that is wrong with it, or its values. */
export interface CheckedAnswer {
  readonly values: JsonObject
  readonly problems: readonly Complaint[]
}

interface Complaint {
  readonly message: string
  readonly hint: string | null
}

/** Reads and checks an answer. A field's default stands in where nothing is given. */
export function checkAnswer(
  form: JsonSchema,
  { words, values: given, complete }: GivenAnswer,
): CheckedAnswer {
  let validate: Validator
  try {
    validate = validatorOf(form)
  } catch (error) {
    return { values: given, problems: [problem(`the form is no JSON Schema: ${(error as Error).message}`)] }
  }
  const fields = (form.properties ?? {}) as { readonly [name: string]: JsonSchema }
  const values: { [name: string]: Json } = {}
  if (complete)
    for (const [name, { default: preset }] of Object.entries(fields))
      if (preset !== undefined) values[name] = preset as Json
  Object.assign(values, given)
  const problems: Complaint[] = []
  for (const [name, text] of words) {
    const found = readText(text, fields[name] ?? {})
    if ('value' in found) values[name] = found.value
    else problems.push(problem(`${quote(name)} holds ${quote(found.lost)}, a number too large to keep`))
  }
  problems.push(...strangers(form, fields, values))
  for (const mismatch of validate(values))
    if (complete || mismatch.keyword !== 'required') problems.push(problem(sentence(mismatch), mismatch.hint))
  return { values, problems }
}

/** Keywords by which a form may have fields elsewhere than in `properties`: then no name is a stranger. */
const elsewhere = [
  'additionalProperties',
  'patternProperties',
  'unevaluatedProperties',
  'dependentSchemas',
  '$ref',
  'allOf',
  'anyOf',
  'oneOf',
  'if',
] as const

/** Values for which the form has no field. JSON Schema lets them be where it is silent; of a person they are slips. */
function strangers(
  form: JsonSchema,
  fields: { readonly [name: string]: JsonSchema },
  values: JsonObject,
): readonly Complaint[] {
  if (elsewhere.some((keyword) => form[keyword] !== undefined)) return []
  const known = Object.keys(fields)
  const all = known.length === 0 ? 'it asks for nothing' : `there are ${either(known.map(quote), 'and')}`
  return Object.keys(values)
    .filter((name) => !Object.hasOwn(fields, name))
    .map((name) => problem(`the form has no field ${quote(name)}`, didYouMean(name, known, all)))
}

function problem(message: string, hint: string | null = null): Complaint {
  return { message, hint }
}

function sentence({ path, message, subject }: Mismatch): string {
  const place = path.length === 0 ? 'the answer' : quote(path.join('.'))
  if (subject) return `${place} ${message}`
  return path.length < 2 ? message : `${place}: ${message}`
}
