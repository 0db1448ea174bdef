/** Chooses the part of each record: by its key's hash alone, or within its stratum. Knows nothing of contamination. */
import { type JsonObject, OperatorFailure, type TaskContext } from '../../plugins/api.ts'
import type { Source } from './records.ts'
import { keyHash, partOf, type Shares, Stratum } from './split-shares.ts'
import { textReader } from './text/field.ts'

/** What decides. */
export interface ChooserOptions {
  readonly field: string
  readonly key?: string
  readonly seed: string
  readonly stratify?: string
}

/** From a record to the index of its part; null where it has no key. */
export type Chooser = (record: JsonObject) => number | null

/** Values of the stratifying field that are told apart; each takes up to 256 KiB. */
const mostStrata = 1000

/** Makes the chooser. With `stratify` it reads the source once before. Throws `invalid_input` where there are too many strata. */
export async function chooser(
  task: TaskContext,
  options: ChooserOptions,
  source: Source,
  shares: Shares,
): Promise<Chooser> {
  const hashOf = hasher(options)
  const { stratify } = options
  if (!stratify) {
    return (record) => {
      const hash = hashOf(record)
      return hash === null ? null : partOf(hash, shares)
    }
  }
  const stratumOf = (record: JsonObject) => JSON.stringify(record[stratify] ?? null)
  const strata = new Map<string, Stratum>()
  for await (const { entries } of source.read({})) {
    task.signal.throwIfAborted()
    for (const { record } of entries) {
      const hash = record && hashOf(record)
      if (record && hash !== null) stratumIn(strata, stratumOf(record), stratify).add(hash)
    }
  }
  return (record) => {
    const hash = hashOf(record)
    return hash === null ? null : (strata.get(stratumOf(record))?.part(hash, shares) ?? null)
  }
}

function stratumIn(strata: Map<string, Stratum>, name: string, field: string): Stratum {
  const known = strata.get(name)
  if (known) return known
  if (strata.size === mostStrata) {
    const message = `\`stratify\`: the field ${field} has over ${mostStrata} values; name one with few`
    throw new OperatorFailure('invalid_input', message)
  }
  const stratum = new Stratum()
  strata.set(name, stratum)
  return stratum
}

function hasher({ key, field, seed }: ChooserOptions): (record: JsonObject) => number | null {
  const text = textReader(field)
  return (record) => {
    const value = key === undefined ? text(record) : (record[key] ?? null)
    if (value === null) return null
    return keyHash(seed, key === undefined ? (value as string) : JSON.stringify(value))
  }
}
