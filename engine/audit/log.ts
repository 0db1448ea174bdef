/**
 * The audit log: what people did and what runs came to, as entries that each hold the hash of the one before. Each engine,
 * and each command without one, writes a chain of its own. Heads of chains are signed, and hold the hash of the head before,
 * of whatever chain: so no entry, and no whole chain, can go without a gap. Pure.
 */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'
import { toInstant } from '../clock.ts'
import type { JsonObject } from '../json.ts'

/** What is to be noted. */
export interface AuditDraft {
  /** `run.ended`, `run.cancel`, `backfill.pause`: what it is about, and what was done. */
  readonly what: string
  /** The person, or `engine` for what happens by itself. */
  readonly who: string
  /** What it was done to, by id or name: `run`, `pipeline`, `task`, `backfill`, `dataset`. */
  readonly subject: { readonly [kind: string]: string }
  readonly detail: JsonObject
}

/** Something to be noted in the transaction of what it tells. */
export interface Note {
  /** Of whoever does it: an engine's id, or a command's own. */
  readonly chain: string
  readonly drafts: readonly AuditDraft[]
  /** Epoch milliseconds. */
  readonly at: number
}

/** An entry as it is hashed: the bytes of its canonical JSON (RFC 8785). */
export interface AuditContent extends AuditDraft {
  readonly chain: string
  /** From 1 on, without a gap. */
  readonly number: number
  /** RFC 3339 UTC. */
  readonly at: string
  /** The hash of the entry before in the chain (hex); null for the first. */
  readonly previous: string | null
}

/** An entry as stored. */
export interface AuditEntry {
  /** Grows with each entry of whatever chain. */
  readonly seq: number
  /** Canonical JSON of an AuditContent. */
  readonly content: string
  /** SHA-256 of it, hex. */
  readonly hash: string
}

/** How far a chain has come. */
export interface ChainEnd {
  readonly number: number
  readonly hash: string | null
}

/** What a head says, signed. */
export interface HeadContent {
  readonly chain: string
  /** The last entry that it covers. */
  readonly number: number
  readonly hash: string
  /** RFC 3339 UTC. */
  readonly at: string
  /** The hash of the head before, of whatever chain (hex); null for the first. */
  readonly previous: string | null
  /** The id of the key that signs it. */
  readonly key: string
}

/** A head as stored. */
export interface AuditHead {
  readonly seq: number
  /** Canonical JSON of a HeadContent. */
  readonly content: string
  /** Ed25519 over its bytes, base64. */
  readonly signature: string
}

/** Signs heads. */
export interface Signer {
  /** The id of its key. */
  readonly key: string
  /** Ed25519, base64. */
  sign(content: string): string
}

/** SHA-256 of a text, hex. */
export function hashOf(content: string): string {
  return createHash('sha256').update(content).digest('hex')
}

/** The entries that continue a chain. @param at epoch milliseconds */
export function continued(
  chain: string,
  end: ChainEnd,
  drafts: readonly AuditDraft[],
  at: number,
): readonly Omit<AuditEntry, 'seq'>[] {
  let { number, hash: previous } = end
  return drafts.map(({ what, who, subject, detail }) => {
    number++
    const content = canonical({ chain, number, at: toInstant(at), what, who, subject, detail, previous })
    previous = hashOf(content)
    return { content, hash: previous }
  })
}

/** The signed head of a chain. @param before the content of the head before, of whatever chain */
export function headOf(
  chain: string,
  end: ChainEnd,
  { before, at, signer }: { readonly before: string | null; readonly at: number; readonly signer: Signer },
): Omit<AuditHead, 'seq'> {
  const content = canonical({
    chain,
    number: end.number,
    hash: end.hash,
    at: toInstant(at),
    previous: before === null ? null : hashOf(before),
    key: signer.key,
  })
  return { content, signature: signer.sign(content) }
}

function canonical(value: object): string {
  return canonicalize(value) as string
}
