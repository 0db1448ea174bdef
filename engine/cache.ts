/** What the engine asks about reusing results. `plugins` implements it over real data, the wiring passes it in. */
import type { JsonObject } from './json.ts'

/** What the result of a task depends on. */
export interface CacheSubject {
  readonly operator: { readonly name: string; readonly version: number }
  /** As first resolved, before any recovery. */
  readonly input: JsonObject
  readonly env: { readonly [name: string]: string }
  /** Absolute: what relative paths mean. */
  readonly cwd: string
  /** Globs of files that count as input. */
  readonly files: readonly string[]
}

/** Fingerprints of work and of data. */
export interface Fingerprint {
  /** The same for the same operator, input, environment and contents of input data: 64 hex digits. null where input data cannot be read. */
  key(subject: CacheSubject): Promise<string | null>
  /** Whether the data that the outputs name still exists. */
  intact(operator: CacheSubject['operator'], outputs: JsonObject, cwd: string): Promise<boolean>
}
