/** The manifest of a dataset: which files it has, with sizes and digests. Pure. */
import { OperatorFailure } from '../../plugins/api.ts'
import type { Shard } from './records-schema.ts'

/** The name of a dataset's manifest, in its folder. */
export const manifestName = 'manifest.json'

/** What `manifest.json` says. It holds no times or paths, so that equal datasets are equal bytes. */
export interface Manifest {
  /** Of this file. */
  readonly version: 1
  /** `jsonl`: UTF-8 lines of JSON objects. `tokens`: see Tokenize. */
  readonly format: string
  readonly records: number
  readonly bytes: number
  readonly shards: readonly Shard[]
}

/** The manifest of these shards. */
export function makeManifest(format: string, shards: readonly Shard[]): Manifest {
  const sum = (key: 'records' | 'bytes') => shards.reduce((total, shard) => total + shard[key], 0)
  return { version: 1, format, records: sum('records'), bytes: sum('bytes'), shards }
}

/** The bytes of `manifest.json`. */
export function printManifest(manifest: object): string {
  return `${JSON.stringify(manifest, null, 2)}\n`
}

/** Reads a manifest that a stranger may have written. `at` names it in messages. Throws `invalid_input`. */
export function parseManifest(text: string, at: string): Manifest {
  const wrong = (what: string) =>
    new OperatorFailure('invalid_input', `${at} is not the manifest of a dataset: ${what}`)
  let value: Partial<Manifest> | null
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (typeof value !== 'object' || value === null || !Array.isArray(value.shards))
    throw wrong('it has no list `shards`')
  if (value.version !== 1) throw wrong(`version ${value.version} is not known here, only 1`)
  for (const shard of value.shards as Partial<Shard>[]) {
    // A name leads into the folder and nowhere else.
    if (!/^(?!\.)[A-Za-z0-9._-]+$/.test(String(shard?.name)))
      throw wrong(`the shard name ${JSON.stringify(shard?.name)} is not a plain file name`)
    if (!Number.isSafeInteger(shard.records) || !Number.isSafeInteger(shard.bytes))
      throw wrong(`the counts of ${shard.name} are not whole numbers`)
  }
  return makeManifest(String(value.format), value.shards)
}
