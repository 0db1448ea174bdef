/** A pipeline's version: what of a file makes it another pipeline. Knows nothing of its keys. */
import { createHash } from 'node:crypto'
import canonicalize from 'canonicalize'

/** SHA-256 (hex) of the file's value in canonical JSON (RFC 8785): comments, key order and layout do not change it. */
export function versionOf(file: unknown): string {
  return createHash('sha256')
    .update(canonicalize(file) ?? '')
    .digest('hex')
}
