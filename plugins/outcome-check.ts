/** Whether what an operator returned is an outcome: its outputs, the state it sleeps with, what is to wake it. Pure. */
import { isAbsolute } from 'node:path'
import type { JsonObject } from '../engine/json.ts'
import type { Outcome, WakeOn } from '../engine/outcome.ts'
import { failed } from './api.ts'
import { jsonFault } from './json-fault.ts'
import type { Check } from './schema-check.ts'

/** Most entries of one kind that may wake a task, and most bytes of a question: each sleeping task keeps them. */
const wakeLimits = { entries: 1000, question: 256 * 1024 } as const

/** The outcome as it stands where it is one, else the failure that says what it is instead. */
export function checkedOutcome(name: string, outcome: Outcome, output: Check): Outcome {
  switch (outcome?.type) {
    case 'succeeded': {
      const fault = jsonFault(outcome.outputs, 'outputs') ?? output(outcome.outputs)
      return fault === null
        ? outcome
        : failed('invalid_input', `${name} returned outputs that its schema refuses: ${fault}`)
    }
    case 'sleep': {
      const fault = sleepFault(outcome)
      return fault === null ? outcome : failed('user', `${name} went to sleep ${fault}`)
    }
    case 'failed':
      return outcome.retryAfter === undefined || outcome.retryAfter >= 0
        ? outcome
        : failed(outcome.kind, outcome.message)
    case 'skipped':
      return outcome
    default:
      return failed('user', `${name} returned no outcome but ${JSON.stringify(outcome) ?? 'undefined'}`)
  }
}

/** What is wrong with a sleep, as the end of a sentence. */
function sleepFault({ until, state, on }: Outcome & { readonly type: 'sleep' }): string | null {
  const fault = jsonFault(state, 'state')
  if (fault !== null) return `with a state that is not JSON: ${fault}`
  if (until === null) {
    if (Object.values(on ?? {}).every((one) => one === undefined || (Array.isArray(one) && one.length === 0)))
      return 'for ever: it has neither a time nor an event that wakes it'
  } else if (!Number.isFinite(until)) return `until ${until}, which is no time`
  return on === undefined ? null : wakeFault(on)
}

function wakeFault(on: WakeOn): string | null {
  if (typeof on !== 'object' || on === null || Array.isArray(on))
    return 'with an `on` that is no object of events'
  for (const kind of ['paths', 'datasets', 'runs'] as const) {
    const entries: unknown = on[kind]
    if (entries === undefined) continue
    if (!Array.isArray(entries) || !entries.every((one) => typeof one === 'string' && one !== ''))
      return `with an \`on.${kind}\` that is no list of texts`
    if (entries.length > wakeLimits.entries)
      return `with ${entries.length} entries in \`on.${kind}\`; ${wakeLimits.entries} are allowed`
    const relative = kind === 'paths' ? entries.find((one) => !isAbsolute(one)) : undefined
    if (relative !== undefined) return `with a path in \`on.paths\` that is not absolute: ${relative}`
  }
  return on.person === undefined ? null : questionFault(on.person)
}

function questionFault(question: WakeOn['person'] & {}): string | null {
  const fault = jsonFault(question as unknown as JsonObject, 'on/person')
  if (fault !== null) return `with a question that is not JSON: ${fault}`
  const { kind, message, form } = question
  if (!['approval', 'review', 'hold'].includes(kind)) return `with a question of an unknown kind, ${kind}`
  if (typeof message !== 'string' || message.trim() === '') return 'with a question that asks nothing'
  if (typeof form !== 'object' || form === null || Array.isArray(form))
    return 'with a question whose form is no JSON Schema'
  const size = Buffer.byteLength(JSON.stringify(question))
  return size <= wakeLimits.question
    ? null
    : `with a question of ${size} bytes; ${wakeLimits.question} are allowed`
}
