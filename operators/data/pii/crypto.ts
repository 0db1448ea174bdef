/** Wallet addresses: Bitcoin and its relatives (Base58Check, Bech32, Bech32m), and Ethereum's form. */
import { createHash } from 'node:crypto'
import type { Detector } from './span.ts'
import { score } from './span.ts'

const base58Alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const bech32Alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'
const bech32Generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

const base58Form = /(?<![A-Za-z\d])[13LMD][1-9A-HJ-NP-Za-km-z]{25,34}(?![A-Za-z\d])/g
const bech32Form = /(?<![A-Za-z\d])(?:bc|ltc)1[02-9ac-hj-np-z]{11,71}(?![A-Za-z\d])/gi
const ethereumForm = /(?<![A-Za-z\d])0x[\dA-Fa-f]{40}(?![A-Za-z\d])/g

/** Version bytes of public key and script hashes: Bitcoin 0 and 5, Litecoin 48 and 50, Dogecoin 30 and 22. */
const versions = [0, 5, 48, 50, 30, 22]

/** Whether `text` decodes to a version byte, 20 bytes and the first 4 bytes of their double SHA-256. */
export function isBase58Address(text: string): boolean {
  let value = 0n
  for (const char of text) {
    const digit = base58Alphabet.indexOf(char)
    if (digit < 0) return false
    value = value * 58n + BigInt(digit)
  }
  const hex = value.toString(16).padStart(50, '0')
  if (hex.length !== 50) return false
  const bytes = Buffer.from(hex, 'hex')
  const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest()
  const sum = sha256(sha256(bytes.subarray(0, 21)))
  return versions.includes(bytes[0] as number) && sum.subarray(0, 4).equals(bytes.subarray(21))
}

/** Whether `text` passes the checksum of BIP 173 (witness version 0) or BIP 350 (later versions). One case only. */
export function isBech32Address(text: string): boolean {
  if (text !== text.toLowerCase() && text !== text.toUpperCase()) return false
  const lower = text.toLowerCase()
  const separator = lower.lastIndexOf('1')
  const prefix = Array.from(lower.slice(0, separator), (char) => char.charCodeAt(0))
  const data = Array.from(lower.slice(separator + 1), (char) => bech32Alphabet.indexOf(char))
  if (data.includes(-1)) return false
  let sum = 1
  for (const value of [...prefix.map((code) => code >> 5), 0, ...prefix.map((code) => code & 31), ...data]) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    for (const [bit, generator] of bech32Generators.entries()) if ((top >> bit) & 1) sum ^= generator
  }
  return sum >>> 0 === (data[0] === 0 ? 1 : 0x2bc830a3)
}

/** Finds CRYPTO. */
export const crypto: Detector = {
  types: [
    {
      name: 'CRYPTO',
      about: 'Bitcoin, Litecoin and Dogecoin addresses by checksum, Ethereum addresses by form',
      decidedBy: 'checksum',
      byDefault: true,
    },
  ],
  find(text, found) {
    const report = (form: RegExp, accept: (address: string) => boolean, sure: number) => {
      for (const match of text.matchAll(form)) {
        if (accept(match[0])) found(match.index, match.index + match[0].length, 'CRYPTO', sure)
      }
    }
    report(base58Form, isBase58Address, score.proven)
    report(bech32Form, isBech32Address, score.proven)
    report(ethereumForm, (address) => /[1-9a-f]/i.test(address.slice(2)), score.strong)
  },
}
