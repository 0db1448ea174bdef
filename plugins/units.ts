/** Durations and sizes in operators' inputs: their schemas, and readers that throw. How they are written is the engine's. */
import { parseDuration as millisecondsOf } from '../engine/duration.ts'
import { parseSize as bytesOf } from '../engine/size.ts'

/** JSON Schema of a duration: `500ms`, `30s`, `15m`, `6h`, `7d`, or ISO 8601 (`PT15M`). */
export const durationSchema = {
  type: 'string',
  pattern:
    '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d)|P(?=[0-9T])([0-9]+W|([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]+)?S)?)?))$',
  'x-says': 'a duration such as `30s`, `12h` or `PT15M`',
} as const

/** JSON Schema of a size: whole bytes, or a string such as `64MiB` or `16GB`. */
export const sizeSchema = {
  anyOf: [
    { type: 'integer', minimum: 0, 'x-says': 'whole bytes' },
    {
      type: 'string',
      pattern: '^[0-9]+(\\.[0-9]+)?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$',
      'x-says': 'a size such as `64MiB`',
    },
  ],
} as const

/** Milliseconds of a duration. Throws a RangeError that says what is allowed. */
export function parseDuration(text: string): number {
  const milliseconds = millisecondsOf(text)
  if (milliseconds !== null) return milliseconds
  throw new RangeError(`\`${text}\` is not a duration; write 500ms, 30s, 15m, 6h, 7d or ISO 8601 (PT15M)`)
}

/** Whole bytes of a size; `MB` is a million bytes, `MiB` 2^20 (IEC 80000-13). Throws a RangeError that says what is allowed. */
export function parseSize(size: string | number): number {
  const bytes = typeof size === 'number' ? size : bytesOf(size)
  if (bytes !== null) return bytes
  throw new RangeError(`\`${size}\` is not a size; write bytes, or 64MiB, 16GB and the like`)
}
