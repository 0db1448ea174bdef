/** Asking a person, and hearing the answer: what operators that wait for people share. Knows no operator. */
import type { Json, JsonObject, JsonSchema } from '../engine/json.ts'
import type { Answer, Outcome, Question } from '../engine/outcome.ts'
import { checkOf } from './schema-check.ts'

/** What a person's answer, if there is one, comes to. */
export type Heard =
  | { readonly type: 'nothing' }
  /** The values do not fit the form; the person is to be told why, and asked again. */
  | { readonly type: 'misfit'; readonly why: string }
  /** Of an approval the values fit the form, and have its defaults. */
  | { readonly type: 'answer'; readonly answer: Answer }

/** JSON Schema of what a person's no means. */
export const onRejectSchema = {
  type: 'string',
  enum: ['fail', 'skip'],
  default: 'fail',
  description: 'What a rejection does: the task fails (kind `user`), or is skipped.',
} as const

/** JSON Schema of a form, which is one itself: of an object. */
export const formSchema = {
  type: 'object',
  properties: { type: { const: 'object' } },
  additionalProperties: true,
  'x-schema': true,
} as const

/** Sleeps until a person answers. `carry` is in the next attempt's `state`, beside `answer`. */
export function ask(question: Question, carry: JsonObject = {}): Outcome {
  return { type: 'sleep', until: null, state: carry, on: { person: question } }
}

/** The same question, with what was wrong with the last answer before it. */
export function again(question: Question, why: string): Question {
  return { ...question, message: `${why}\n${question.message}` }
}

/** Why a form cannot be used, or null. */
export async function formFault(form: JsonSchema): Promise<string | null> {
  if (form.type !== 'object')
    return 'the values of a `form` are an object: its `type` is `object` or left out'
  try {
    await checkOf(form)
    return null
  } catch (error) {
    return `\`form\` is no JSON Schema: ${(error as Error).message}`
  }
}

/** The answer in the state that an attempt was woken with. */
export async function heardOf(state: Json, form: JsonSchema): Promise<Heard> {
  const answer = (state as { readonly answer?: Answer } | null)?.answer
  if (answer === undefined) return { type: 'nothing' }
  if (answer.decision === 'reject') return { type: 'answer', answer }
  const values = structuredClone(answer.values)
  const fault = (await checkOf(form))(values)
  return fault === null
    ? { type: 'answer', answer: { ...answer, values } }
    : { type: 'misfit', why: `The answer of ${answer.by} does not fit the form: ${fault}.` }
}

/** The outcome of a rejection; a text `reason` (or `notes`) among its values is told. */
export function rejection({ by, values }: Answer, onReject: 'fail' | 'skip'): Outcome {
  const reason = [values.reason, values.notes].find((one) => typeof one === 'string' && one.trim() !== '')
  const message = `rejected by ${by}: ${reason ?? 'no reason was given'}`
  return onReject === 'skip'
    ? { type: 'skipped', reason: message }
    : { type: 'failed', kind: 'user', message }
}
