/** What a benchmark is: things measured in turn, ours beside a peer or a limit. Knows no workload. */

/** One thing that is measured. */
export interface Side {
  /** `dagctl`, `xargs -P2`, `node -e 0`. */
  readonly name: string
  /** Where it is not the row's. */
  readonly unit?: Row['unit']
  /** Does the work once and gives the figure, in the row's unit. */
  run(): Promise<number>
}

/** One line of the table: ours beside one or more peers or limits, measured A B A B. */
export interface Row {
  readonly workload: string
  readonly unit:
    | 'ms'
    | 's'
    | 'µs per item'
    | 'µs per task'
    | 'ms per task'
    | 'tasks/s'
    | 'commits/s'
    | 'KiB per task'
    | 'MiB'
    | '% of a core'
  readonly ours: Side
  readonly others: readonly Side[]
  /** What the ratio ours / other is to be, from the design; null where the figure stands alone. */
  readonly goal: string | null
  /** How often each side is measured; 5 when absent, and at least. */
  readonly rounds?: number
}

/** A benchmark: rows, and what was true while they were measured. */
export interface Workload {
  readonly rows: readonly Row[]
  /** `synchronous=FULL`, versions of peers: a line each. */
  readonly notes: readonly string[]
  /** Draws the figures that were measured, where a table is not all; says which file it wrote. */
  picture?(): string
  /** Removes what was made for it. */
  dispose(): void
}

/** The middle of the values, or the mean of the two in the middle; not a number where there are none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle) - 1] ?? Number.NaN)) / 2
}
