/** Lists and names in the sentences of reasons. Pure. */

/** How many of a kind a sentence names before it only counts them. */
export const named = 5

/** `a, b and 3 more`. */
export function listed(names: readonly string[]): string {
  const rest = names.length - named
  if (rest > 0) return `${names.slice(0, named).join(', ')} and ${rest} more`
  return names.length < 2 ? names.join() : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`
}

/** `1 task`, `2 tasks`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`
}

/** Milliseconds as `0.5 s`, `90 s`, `5 min`. */
export function lasting(milliseconds: number): string {
  const seconds = milliseconds / 1000
  return seconds < 120 ? `${Number(seconds.toFixed(1))} s` : `${Math.round(seconds / 60)} min`
}
