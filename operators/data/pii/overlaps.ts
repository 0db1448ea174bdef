/** Makes one row of disjoint spans from what all detectors found. Knows no type but by its place in an order. */
import type { Span } from './span.ts'
import { score } from './span.ts'

/**
 * Disjoint spans by start. Of two that overlap, the surer kind (strong before likely before weak), then the longer, then the
 * surer, then the type first in `order` wins; spans of one type that overlap are one; what the other covers beyond it stays covered under its own type, so that
 * nothing which was found is left in the clear.
 */
export function disjoint(text: string, spans: readonly Span[], order: readonly string[]): Span[] {
  if (spans.length < 2) return [...spans]
  const rank = new Map(order.map((type, i) => [type, i]))
  const place = (span: Span) => rank.get(span.type) ?? order.length
  const sorted = joined(spans).sort(
    (a, b) =>
      tier(b) - tier(a) ||
      b.end - b.start - (a.end - a.start) ||
      b.score - a.score ||
      place(a) - place(b) ||
      a.start - b.start ||
      (a.type < b.type ? -1 : a.type > b.type ? 1 : 0),
  )
  const taken: Span[] = []
  for (const span of sorted) {
    for (const rest of without(span, taken)) {
      if (rest === span || /[\p{L}\p{N}]{2}/u.test(text.slice(rest.start, rest.end))) insert(taken, rest)
    }
  }
  return taken
}

/** Spans of one type that overlap, as one. */
function joined(spans: readonly Span[]): Span[] {
  const last = new Map<string, number>()
  const all: Span[] = []
  for (const span of [...spans].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const at = last.get(span.type)
    const before = at === undefined ? undefined : all[at]
    if (at !== undefined && before !== undefined && span.start < before.end) {
      all[at] = { ...before, end: Math.max(before.end, span.end), score: Math.max(before.score, span.score) }
    } else {
      last.set(span.type, all.push(span) - 1)
    }
  }
  return all
}

function tier(span: Span): number {
  return span.score >= score.strong ? 2 : span.score >= score.likely ? 1 : 0
}

/** The parts of `span` that none of `taken` (disjoint, by start) covers. */
function without(span: Span, taken: readonly Span[]): Span[] {
  const parts: Span[] = []
  let start = span.start
  for (let i = firstEndingAfter(taken, span.start); i < taken.length; i++) {
    const other = taken[i] as Span
    if (other.start >= span.end) break
    if (other.start > start) parts.push({ ...span, start, end: other.start })
    start = Math.max(start, other.end)
  }
  if (start === span.start && parts.length === 0) return [span]
  if (start < span.end) parts.push({ ...span, start })
  return parts
}

function insert(taken: Span[], span: Span): void {
  taken.splice(firstEndingAfter(taken, span.start), 0, span)
}

/** The index of the first of `taken` that ends behind `at`. */
function firstEndingAfter(taken: readonly Span[], at: number): number {
  let low = 0
  let high = taken.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((taken[middle] as Span).end > at) high = middle
    else low = middle + 1
  }
  return low
}
