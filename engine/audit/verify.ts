/** Whether an audit log is as it was written: what was altered, removed, inserted or put in another order is named. Pure. */
import { type AuditContent, type AuditEntry, type AuditHead, type HeadContent, hashOf } from './log.ts'

/** What is wrong with a log, and where. */
export interface AuditFault {
  readonly kind: 'altered' | 'removed' | 'inserted' | 'reordered' | 'unsigned'
  /** The chain, or null where it is about heads of several. */
  readonly chain: string | null
  /** A sentence that names the entry. */
  readonly message: string
}

/** Whether the signature of a key over a content is valid; false where the key is not known. */
export type Verify = (key: string, content: string, signature: string) => boolean

interface Read extends AuditEntry {
  readonly parsed: AuditContent
}

/** All that is wrong, in the order of the log. @param entries and heads in the order of `seq` */
export function auditFaults(
  entries: readonly AuditEntry[],
  heads: readonly AuditHead[],
  verify: Verify,
): readonly AuditFault[] {
  const faults: AuditFault[] = []
  const chains = new Map<string, Read[]>()
  for (const entry of entries) {
    const parsed = contentOf<AuditContent>(entry)
    if (parsed === null) {
      faults.push({ kind: 'altered', chain: null, message: `entry ${entry.seq} cannot be read` })
      continue
    }
    if (hashOf(entry.content) !== entry.hash)
      faults.push({
        kind: 'altered',
        chain: parsed.chain,
        message: `entry ${entry.seq} (${named(parsed)}) is not what its hash says`,
      })
    const chain = chains.get(parsed.chain)
    if (chain === undefined) chains.set(parsed.chain, [{ ...entry, parsed }])
    else chain.push({ ...entry, parsed })
  }
  for (const [chain, of] of chains) faults.push(...chainFaults(chain, of))
  return [...faults, ...headFaults(heads, chains, verify)]
}

/** What an entry or a head says; null where it is not even of the chain's form. */
function contentOf<Content>({ content }: { readonly content: string }): Content | null {
  try {
    const parsed = JSON.parse(content)
    return typeof parsed?.chain === 'string' && Number.isInteger(parsed.number) ? parsed : null
  } catch {
    return null
  }
}

function named({ chain, number, what }: AuditContent): string {
  return `number ${number} of chain ${chain}, ${what}`
}

function chainFaults(chain: string, entries: readonly Read[]): AuditFault[] {
  const faults: AuditFault[] = []
  const fault = (kind: AuditFault['kind'], message: string) => faults.push({ kind, chain, message })
  const sorted = entries.toSorted((a, b) => a.parsed.number - b.parsed.number)
  let highest = 0
  for (const { seq, parsed } of entries) {
    if (parsed.number < highest)
      fault('reordered', `entry ${seq} (${named(parsed)}) stands after number ${highest}`)
    highest = Math.max(highest, parsed.number)
  }
  let before: Read | null = null
  for (const entry of sorted) {
    const { number, previous } = entry.parsed
    const expected: number = (before?.parsed.number ?? 0) + 1
    if (number === before?.parsed.number)
      fault('inserted', `entry ${entry.seq} (${named(entry.parsed)}) has the number of another`)
    else if (number > expected)
      fault(
        'removed',
        `${range(expected, number - 1)} of chain ${chain} ${expected === number - 1 ? 'is' : 'are'} gone`,
      )
    else if (previous !== (before?.hash ?? null))
      fault('altered', `entry ${entry.seq} (${named(entry.parsed)}) does not follow from the one before it`)
    before = entry
  }
  return faults
}

function placeOf({ chain, number }: Pick<AuditContent, 'chain' | 'number'>): string {
  return `${chain} ${number}`
}

function range(first: number, last: number): string {
  return first === last ? `number ${first}` : `numbers ${first} to ${last}`
}

function headFaults(
  heads: readonly AuditHead[],
  chains: ReadonlyMap<string, readonly Read[]>,
  verify: Verify,
): AuditFault[] {
  const faults: AuditFault[] = []
  const covered = new Map<string, number>()
  const found = new Map([...chains.values()].flat().map((entry) => [placeOf(entry.parsed), entry]))
  let before: AuditHead | null = null
  for (const head of heads) {
    const said = contentOf<HeadContent>(head)
    if (said === null) {
      faults.push({ kind: 'altered', chain: null, message: `the head ${head.seq} cannot be read` })
      before = head
      continue
    }
    const { chain, number, hash, previous, key } = said
    const name = `the head ${head.seq} (number ${number} of chain ${chain})`
    if (!verify(key, head.content, head.signature))
      faults.push({ kind: 'altered', chain, message: `${name} is not signed by the key ${key}` })
    if (previous !== (before === null ? null : hashOf(before.content)))
      faults.push({
        kind: 'removed',
        chain: null,
        message: `${name} does not follow from the head before it`,
      })
    const entry = found.get(placeOf(said))
    if (entry === undefined)
      faults.push({ kind: 'removed', chain, message: `${name} was signed, and its entry is gone` })
    else if (entry.hash !== hash)
      faults.push({
        kind: 'altered',
        chain,
        message: `entry ${entry.seq} (${named(entry.parsed)}) is not what was signed`,
      })
    covered.set(chain, Math.max(covered.get(chain) ?? 0, number))
    before = head
  }
  for (const [chain, entries] of chains)
    for (const { seq, parsed } of entries)
      if (parsed.number > (covered.get(chain) ?? 0))
        faults.push({
          kind: 'unsigned',
          chain,
          message: `entry ${seq} (${named(parsed)}) is under no signed head: inserted, or its head was removed`,
        })
  return faults
}
