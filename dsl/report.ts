/** Collects what the checks of one file find, with places. Knows nothing of what is checked. */
import type { Code } from './codes.ts'
import type { Parsed } from './parse.ts'
import type { Path } from './positions.ts'
import type { Problem, Span } from './problems.ts'

/** What is wrong, without its place. */
export interface Complaint {
  readonly code: Code
  readonly message: string
  readonly hint?: string | null | undefined
  readonly severity?: 'error' | 'warning'
}

/** The problems of one file. */
export class Report {
  readonly problems: Problem[]
  readonly #parsed: Parsed

  constructor(parsed: Parsed) {
    this.#parsed = parsed
    this.problems = [...parsed.problems]
  }

  /** Another report on the same file, of what is tried and need not hold. */
  apart(): Report {
    return new Report({ ...this.#parsed, problems: [] })
  }

  get failed(): boolean {
    return this.problems.some(({ severity }) => severity === 'error')
  }

  /** At the value at `path`. */
  atValue(path: Path, complaint: Complaint): void {
    this.#add(complaint, this.#parsed.positions.value(path))
  }

  /** At the key at `path`. */
  atKey(path: Path, complaint: Complaint): void {
    this.#add(complaint, this.#parsed.positions.key(path))
  }

  /** At a part of the string at `path`. */
  inside(path: Path, part: Span, complaint: Complaint): void {
    this.#add(complaint, this.#parsed.positions.inside(path, part))
  }

  #add({ code, message, hint = null, severity = 'error' }: Complaint, span: Span): void {
    this.problems.push(this.#parsed.locate({ code, message, hint, severity, span }))
  }
}
