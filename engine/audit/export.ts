/**
 * An audit log, or a part of it, as JSON Lines that whoever has the public key can verify without the store: first the tree
 * over the whole log (RFC 6962), signed; then each entry with its place and its proof. Pure.
 */
import canonicalize from 'canonicalize'
import { isJsonObject, type Json, type JsonObject } from '../json.ts'
import type { AuditContent, AuditEntry, Signer } from './log.ts'
import { leafHash, MerkleTree, provesInclusion } from './merkle.ts'

/** The first line. */
export interface ExportHead {
  readonly log: 'dagctl-audit/1'
  /** Entries of the whole log, of which the lines below may be some. */
  readonly size: number
  /** RFC 6962 root over the entries' canonical JSON, base64. */
  readonly root: string
  /** RFC 3339 UTC. */
  readonly at: string
  readonly key: string
  /** Ed25519 over the canonical JSON of this line without it, base64. */
  readonly signature: string
}

/** Each other line. */
export interface ExportedEntry {
  /** From 0 on. */
  readonly index: number
  readonly entry: AuditContent
  /** The siblings on the way to the root, base64. */
  readonly proof: readonly string[]
}

/** Whether a line has the fields of the first one. */
export function isExportHead(value: Json): value is ExportHead & JsonObject {
  if (!isJsonObject(value) || value.log !== 'dagctl-audit/1' || typeof value.size !== 'number') return false
  return [value.root, value.at, value.key, value.signature].every((field) => typeof field === 'string')
}

/** Whether a line has the fields of each other one; what the entry says is for the proof to show. */
export function isExportedEntry(value: Json): value is ExportedEntry & JsonObject {
  if (!isJsonObject(value) || typeof value.index !== 'number' || !isJsonObject(value.entry)) return false
  return Array.isArray(value.proof) && value.proof.every((hash) => typeof hash === 'string')
}

/** The tree over a whole log. */
export function treeOf(entries: readonly Pick<AuditEntry, 'content'>[]): MerkleTree {
  return new MerkleTree(entries.map(({ content }) => leafHash(Buffer.from(content))))
}

/** The lines. @param chosen whether an entry is among them; @param at RFC 3339 UTC */
export function* exportLines(
  entries: readonly AuditEntry[],
  {
    at,
    signer,
    chosen,
  }: { readonly at: string; readonly signer: Signer; readonly chosen: (entry: AuditContent) => boolean },
): Generator<ExportHead | ExportedEntry> {
  const tree = treeOf(entries)
  const head = {
    log: 'dagctl-audit/1',
    size: tree.size,
    root: tree.root.toString('base64'),
    at,
    key: signer.key,
  } as const
  yield { ...head, signature: signer.sign(canonicalize(head) as string) }
  for (const [index, { content }] of entries.entries()) {
    const entry = JSON.parse(content) as AuditContent
    if (chosen(entry))
      yield { index, entry, proof: tree.inclusionProof(index).map((hash) => hash.toString('base64')) }
  }
}

/** What is wrong with an export, a sentence for each line. @param verify whether a signature of a key is valid */
export function exportFaults(
  head: ExportHead,
  lines: readonly ExportedEntry[],
  verify: (key: string, content: string, signature: string) => boolean,
): readonly string[] {
  const { signature, ...signed } = head
  const faults: string[] = []
  if (!verify(head.key, canonicalize(signed) as string, signature))
    faults.push(`line 1: the tree is not signed by the key ${head.key}`)
  const root = Buffer.from(head.root, 'base64')
  for (const [place, { index, entry, proof }] of lines.entries()) {
    const leaf = leafHash(Buffer.from(canonicalize(entry) as string))
    const siblings = proof.map((hash) => Buffer.from(hash, 'base64'))
    if (!provesInclusion({ index, size: head.size, leaf, root, proof: siblings }))
      faults.push(
        `line ${place + 2}: ${entry.what} (number ${entry.number} of chain ${entry.chain}) is not in the signed tree at ${index}`,
      )
  }
  return faults
}

/** Whether the log has the exported tree as its beginning; null where it does, else the sentence that says why not. */
export function beginningFault(
  head: Pick<ExportHead, 'size' | 'root'>,
  entries: readonly AuditEntry[],
): string | null {
  if (entries.length < head.size)
    return `the log has ${entries.length} entries, and had ${head.size} when it was exported`
  const root = treeOf(entries.slice(0, head.size)).root.toString('base64')
  return root === head.root ? null : `the first ${head.size} entries are not those that were exported`
}
