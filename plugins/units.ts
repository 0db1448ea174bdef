/** Durations and sizes as people write them in pipeline files. Pure: knows nothing of operators or clocks. */

/** JSON Schema of a duration: `500ms`, `30s`, `15m`, `6h`, `7d`, or ISO 8601 (`PT15M`). */
export const durationSchema = {
  type: 'string',
  pattern:
    '^([0-9]+(\\.[0-9]+)?(ms|s|m|h|d)|P(?=.)([0-9]+W)?([0-9]+D)?(T(?=.)([0-9]+H)?([0-9]+M)?([0-9]+(\\.[0-9]+)?S)?)?)$',
} as const

/** JSON Schema of a size: whole bytes, or a string such as `64MiB` or `16GB`. */
export const sizeSchema = {
  anyOf: [
    { type: 'integer', minimum: 0 },
    { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$' },
  ],
} as const

const durationUnits: { readonly [unit: string]: number } = { ms: 1, s: 1e3, m: 60e3, h: 3600e3, d: 86_400e3 }
const isoDuration = /^P(?=.)(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/** Milliseconds of a duration. Throws a RangeError that says what is allowed. */
export function parseDuration(text: string): number {
  const short = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  if (short) return Math.round(Number(short[1]) * (durationUnits[short[2] as string] as number))
  const iso = isoDuration.exec(text)
  if (!iso)
    throw new RangeError(`\`${text}\` is not a duration; write 500ms, 30s, 15m, 6h, 7d or ISO 8601 (PT15M)`)
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = iso
    .slice(1)
    .map((part) => Number(part ?? 0))
  return Math.round(((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
}

const sizeUnits: { readonly [unit: string]: number } = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/** Whole bytes of a size; `MB` is a million bytes, `MiB` 2^20 (IEC 80000-13). Throws a RangeError that says what is allowed. */
export function parseSize(size: string | number): number {
  if (typeof size === 'number') return size
  const match = /^(\d+(?:\.\d+)?)(B|[KMGT]i?B)$/.exec(size)
  if (!match) throw new RangeError(`\`${size}\` is not a size; write bytes, or 64MiB, 16GB and the like`)
  return Math.round(Number(match[1]) * (sizeUnits[match[2] as string] as number))
}
