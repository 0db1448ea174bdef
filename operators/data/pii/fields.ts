/** Reaches the texts below a field of a record, through objects and lists, and puts others in their place. Knows no masking. */
import { type Json, type JsonObject, OperatorFailure } from '../../../plugins/api.ts'
import type { Source } from '../records.ts'

/** Gives another text for a text, or the same one. */
export type Rewrite = (text: string) => string

/** What became of a record: itself when nothing changed, and whether the field was there. */
export interface Rewritten {
  readonly record: JsonObject
  readonly there: boolean
}

/**
 * Rewrites all texts (and numbers, where their text changes) below `field`. A dot leads into an object, and into each object
 * of a list; a field named with the dot itself comes first. The record that was given is never changed.
 */
export function rewriteField(record: JsonObject, field: string, rewrite: Rewrite): Rewritten {
  const path = field in record ? [field] : field.split('.')
  let there = false
  const at = (value: Json, depth: number): Json => {
    if (depth === path.length) {
      if (value === null) return value
      there = true
      return below(value, rewrite)
    }
    if (Array.isArray(value)) return mapSame(value, (item) => at(item, depth))
    const key = path[depth] as string
    if (value === null || typeof value !== 'object' || !Object.hasOwn(value, key)) return value
    const inner = (value as JsonObject)[key] as Json
    const changed = at(inner, depth + 1)
    return changed === inner ? value : { ...(value as JsonObject), [key]: changed }
  }
  return { record: at(record, 0) as JsonObject, there }
}

function below(value: Json, rewrite: Rewrite): Json {
  if (typeof value === 'string') return rewrite(value)
  if (typeof value === 'number') {
    const text = String(value)
    const changed = rewrite(text)
    return changed === text ? value : changed
  }
  if (Array.isArray(value)) return mapSame(value, (item) => below(item, rewrite))
  if (value === null || typeof value !== 'object') return value
  const entries = Object.entries(value as JsonObject).map(
    ([key, inner]) => [key, below(inner as Json, rewrite)] as const,
  )
  return entries.every(([key, inner]) => (value as JsonObject)[key] === inner)
    ? value
    : Object.fromEntries(entries)
}

/** A list with each item mapped; the list itself when no item changed. */
function mapSame(list: readonly Json[], map: (item: Json) => Json): readonly Json[] {
  const mapped = list.map(map)
  return mapped.every((item, i) => item === list[i]) ? list : mapped
}

/** Throws `invalid_input` where none of the first records has the field: a wrong name would leave everything unmasked. */
export async function requireFields(source: Source, fields: readonly string[]): Promise<void> {
  for await (const { entries } of source.read({ batch: 256 })) {
    const records = entries.map(({ record }) => record).filter((record) => record !== null)
    if (records.length === 0) return
    for (const field of fields) {
      if (records.some((record) => rewriteField(record, field, (text) => text).there)) continue
      const names = Object.keys(records[0] ?? {}).join(', ')
      throw new OperatorFailure(
        'invalid_input',
        `none of the first ${records.length} records has \`${field}\`, which \`fields\` names (fields there: ${names})`,
      )
    }
    return
  }
}
