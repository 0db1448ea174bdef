/** The one error type of dagctl, the closed set of failure kinds, and the exits. Knows nothing of who prints them. */

/**
 * Why an attempt failed. Closed: `retry.on` and `recover` name these, runtimes and operators classify into them.
 * Source: the guide's failure table, plus what the engine itself decides (deadline, budget, gate_failed).
 */
export const failureKinds = [
  'oom',
  'gpu_oom',
  'crash',
  'timeout',
  'network',
  'node_lost',
  'spot_interruption',
  'model_load',
  'data_corruption',
  'invalid_input',
  'gate_failed',
  'deadline',
  'budget',
  'user',
] as const

/** Why an attempt failed, of a closed set: retries and recoveries go by it. */
export type FailureKind = (typeof failureKinds)[number]

/** Why an attempt or a task failed: the kind, and a sentence that says what, which name, what to do. */
export interface Failure {
  readonly kind: FailureKind
  readonly message: string
}

/** The process exits of the command line. */
export const exits = {
  ok: 0,
  usage: 2,
  invalid: 3,
  failed: 4,
  infrastructure: 5,
  bug: 70,
  interrupted: 130,
} as const

/** What an error is to the person at the terminal; each maps to one exit. */
export type ErrorKind = 'usage' | 'invalid' | 'failed' | 'infrastructure' | 'bug'

/** A place in a file. Lines and columns count from 1, columns in UTF-16 units. */
export interface Position {
  readonly file: string
  readonly line: number
  readonly column: number
}

/** What a `DagctlError` is made of, besides its message. */
export interface ErrorDetails {
  readonly kind: ErrorKind
  readonly hint?: string
  readonly at?: Position
  readonly cause?: unknown
}

/** An error that a person can act on: a stable code, what kind it is, a message, and where possible a hint and a place. */
export class DagctlError extends Error {
  readonly code: string
  readonly kind: ErrorKind
  readonly hint: string | undefined
  readonly at: Position | undefined

  constructor(code: string, message: string, details: ErrorDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'DagctlError'
    this.code = code
    this.kind = details.kind
    this.hint = details.hint
    this.at = details.at
  }
}

/** Thrown where the program contradicts itself; always our fault, exit 70. */
export function bug(message: string): DagctlError {
  return new DagctlError('E700', message, { kind: 'bug' })
}

/** What an engine fails with: the error itself, or as the fault of what it stands on (the store, the host). */
export function asFault(error: unknown): DagctlError {
  if (error instanceof DagctlError) return error
  return new DagctlError('E503', String(error), { kind: 'infrastructure', cause: error })
}
