/**
 * What is recovered where no file says so, read off an operator's input. Source: the guide's table of failures; its other
 * rows need nothing here: crash, network and model_load are `retry`'s, lost nodes are rescheduled by the engine, and an
 * operator's own `recover` says what else it can do. Pure.
 */
import type { FailureKind } from '../engine/errors.ts'
import type { JsonObject, JsonSchema } from '../engine/json.ts'
import type { OperatorInfo } from '../engine/pipeline.ts'
import type { Recovery } from '../schemas/pipeline.generated.ts'
import { step, typeNames } from './types.ts'

/** Entries of `recover`, as in a file. */
export type Entries = { readonly [kind in FailureKind]?: Recovery }

/** No entries. */
export const nothing: Entries = {}

/**
 * The default entries of a task. None for what deploys.
 * - An operator with an integer `batchSize`, which the task gives or which has a default: running out of GPU memory halves
 *   it, at most 3 times, and goes on from the newest checkpoint. An integer `accumulation` is doubled, so that as many
 *   samples make a step.
 * - Training: corrupt data is met from the newest checkpoint that verifies, or from the start, where data is read anew.
 */
export function defaultEntries(operator: OperatorInfo, input: JsonObject): Entries {
  if (operator.effects === 'deploy') return nothing
  const smaller = smallerBatch(operator.input, input)
  const trains = operator.stage === 'training'
  if (smaller === null && !trains) return nothing
  return {
    ...(smaller && { gpu_oom: { set: smaller, restore: 'newest', attempts: 3 } }),
    ...(trains && { data_corruption: { restore: 'newest', attempts: 3 } }),
  }
}

function smallerBatch(schema: JsonSchema, input: JsonObject): { readonly [key: string]: string } | null {
  const batchSize = integerAt(schema, 'batchSize', input)
  if (batchSize === null) return null
  const accumulation = integerAt(schema, 'accumulation', input)
  return {
    batchSize: `{{ half ${batchSize} }}`,
    ...(accumulation !== null && { accumulation: `{{ double ${accumulation} }}` }),
  }
}

/** What stands for the value in a template; null where the operator has no such integer, or nothing gives it a value. */
function integerAt(schema: JsonSchema, key: string, input: JsonObject): string | null {
  const next = step(schema, key)
  if ('fault' in next || next.type === null || !typeNames(next.type, schema)?.has('integer')) return null
  if (Object.hasOwn(input, key)) return `with.${key}`
  const preset = next.type.default
  return Number.isInteger(preset) ? `(default with.${key} ${preset})` : null
}
