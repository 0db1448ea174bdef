/** Durations as people write them, to milliseconds. Pure; which keys hold one is the schema's business. */

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const short = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/
// ISO 8601 without years and months, whose length varies.
const iso = /^P(?=[\dT])(?:(\d+)W|(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?)$/

/** Milliseconds of `500ms`, `30s`, `15m`, `6h`, `7d` or ISO 8601 (`PT15M`, `P1DT12H`, `P2W`); null if it is no duration. */
export function parseDuration(text: string): number | null {
  const match = short.exec(text)
  if (match) return finite(Number(match[1]) * units[match[2] as keyof typeof units])
  const parts = iso.exec(text)
  if (!parts) return null
  const [weeks, days, hours, minutes, seconds] = parts.slice(1).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return finite(
    weeks * 7 * units.d + days * units.d + hours * units.h + minutes * units.m + seconds * units.s,
  )
}

function finite(milliseconds: number): number | null {
  return Number.isSafeInteger(Math.round(milliseconds)) ? Math.round(milliseconds) : null
}
