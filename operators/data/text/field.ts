/** Finds the text of a record. Knows nothing of what is done with it. */
import { type JsonObject, OperatorFailure } from '../../../plugins/api.ts'
import type { Source } from '../records.ts'

/** JSON Schema of the option `field`. */
export const fieldSchema = {
  type: 'string',
  minLength: 1,
  default: 'text',
  description: 'The field that holds the text; a dot leads into an object (`page.body`).',
} as const

/** Why a record without text is set aside. */
export const noText = 'no_text'

/** Reads what a field holds, or undefined. A field named with the dot itself comes first. */
export function valueReader(field: string): (record: JsonObject) => unknown {
  const path = field.split('.')
  return (record) => {
    const value: unknown = record[field]
    if (value !== undefined || path.length === 1) return value
    return path.reduce<unknown>((inner, key) => (inner as JsonObject | null | undefined)?.[key], record)
  }
}

/** Reads the text out of a record, or null where the field is missing or no string. */
export function textReader(field: string): (record: JsonObject) => string | null {
  const read = valueReader(field)
  return (record) => {
    const value = read(record)
    return typeof value === 'string' ? value : null
  }
}

/**
 * Throws `invalid_input` where none of the first records has text in the field, which is a wrong name rather than bad data.
 * Says which fields there are.
 */
export async function requireText(source: Source, field: string): Promise<void> {
  const text = textReader(field)
  for await (const { entries } of source.read({ batch: 256 })) {
    const records = entries.map(({ record }) => record).filter((record) => record !== null)
    if (records.length === 0 || records.some((record) => text(record) !== null)) return
    const names = Object.keys(records[0] ?? {}).join(', ')
    throw new OperatorFailure(
      'invalid_input',
      `none of the first ${records.length} records has a text in \`${field}\`; \`field\` names it (fields there: ${names})`,
    )
  }
}
