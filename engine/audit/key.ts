/** The key that signs the audit log: Ed25519, in a file that only its owner reads, made once however many start at once. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { existsSync, linkSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DagctlError } from '../errors.ts'
import { makeFolder } from '../folders.ts'
import type { Signer } from './log.ts'

/** The private key in the data folder (PKCS #8, PEM, mode 0600). */
export const keyFile = 'audit.key'
/** The public keys beside it, also of keys that are gone: `audit-KEY.pub`. */
export const publicKeyPattern = /^audit-[0-9a-f]{16}\.pub$/

/** The signer of a data folder (absolute); its key is made where there is none. Throws E504 where the file is no such key. */
export function signerIn(data: string): Signer {
  const key = readKey(join(data, keyFile)) ?? makeKey(data)
  publish(data, createPublicKey(key))
  return signerWith(key)
}

/** The signer of a data folder that has a key; null where it has none. Throws E504 where the file is no such key. */
export function signerOf(data: string): Signer | null {
  const key = readKey(join(data, keyFile))
  return key && signerWith(key)
}

function signerWith(key: KeyObject): Signer {
  return {
    key: keyId(createPublicKey(key)),
    sign: (content) => sign(null, Buffer.from(content), key).toString('base64'),
  }
}

/** A public key from its PEM, with its id. Throws E504 where it is none. */
export function publicKeyOf(
  pem: string,
  path: string,
): { readonly id: string; verifies(content: string, signature: string): boolean } {
  const key = parsed(path, () => createPublicKey(pem))
  return {
    id: keyId(key),
    verifies: (content, signature) =>
      verify(null, Buffer.from(content), key, Buffer.from(signature, 'base64')),
  }
}

/** The first 16 hex digits of the SHA-256 of the public key (SPKI, DER). */
function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16)
}

function readKey(path: string): KeyObject | null {
  try {
    const pem = readFileSync(path, 'utf8')
    return parsed(path, () => createPrivateKey(pem))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Written whole beside it, and linked: the first of several that start at once is the one that all use. */
function makeKey(data: string): KeyObject {
  makeFolder(data)
  const path = join(data, keyFile)
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  writtenBeside(path, pem, 0o600, (temporary) => {
    try {
      linkSync(temporary, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  })
  return readKey(path) as KeyObject
}

/** Puts the public key where whoever verifies finds it, whole, also where a crash kept it from being written before. */
function publish(data: string, key: KeyObject): void {
  const path = join(data, `audit-${keyId(key)}.pub`)
  const pem = key.export({ type: 'spki', format: 'pem' }) as string
  if (existsSync(path) && readFileSync(path, 'utf8') === pem) return
  writtenBeside(path, pem, 0o644, (temporary) => renameSync(temporary, path))
}

/** Lends a file that is written whole, in a folder of its own: process ids repeat where containers share the data folder. */
function writtenBeside(path: string, text: string, mode: number, use: (temporary: string) => void): void {
  const folder = mkdtempSync(`${path}.`)
  try {
    const temporary = join(folder, 'whole')
    writeFileSync(temporary, text, { mode })
    use(temporary)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function parsed(path: string, read: () => KeyObject): KeyObject {
  let key: KeyObject
  try {
    key = read()
  } catch (error) {
    throw notAKey(path, error)
  }
  if (key.asymmetricKeyType !== 'ed25519') throw notAKey(path)
  return key
}

function notAKey(path: string, cause?: unknown): DagctlError {
  return new DagctlError('E504', `${path} is no Ed25519 key`, {
    kind: 'infrastructure',
    hint: 'restore it from a backup; a new key begins where the file is absent, and says so in the log',
    ...(cause !== undefined && { cause }),
  })
}
