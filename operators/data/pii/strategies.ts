/** What is written in the place of a value: a label, stars, a keyed digest, a keyed pseudonym, or nothing. Finds nothing. */
import { createHmac } from 'node:crypto'
import { pseudonym } from './pseudonyms.ts'
import type { Span } from './span.ts'

/** The names of the strategies, as the input has them. */
export const strategyNames = ['replace', 'mask', 'hash', 'pseudonymize', 'remove'] as const

/** What becomes of what was found. */
export type StrategyName = (typeof strategyNames)[number]

/** How values are replaced. */
export interface MaskOptions {
  readonly strategy: StrategyName
  /** Other strategies for single types. */
  readonly strategies: { readonly [type: string]: StrategyName }
  /** For `hash` and `pseudonymize`; who has it can test guesses, so it is a secret. */
  readonly key: string | undefined
  /** How many letters and digits at the end `mask` leaves readable; never more than a third of them. */
  readonly keepLast: number
}

/** Strategies that need a key. */
export function needsKey(options: Pick<MaskOptions, 'strategy' | 'strategies'>): boolean {
  return [options.strategy, ...Object.values(options.strategies)].some(
    (name) => name === 'hash' || name === 'pseudonymize',
  )
}

/** Makes the text with all spans (disjoint, by start) replaced. The same value of a type has the same replacement. */
export function maskWith(options: MaskOptions): (text: string, spans: readonly Span[]) => string {
  const key = options.key ?? ''
  const replacement = (type: string, value: string): string => {
    switch (options.strategies[type] ?? options.strategy) {
      case 'replace':
        return `<${type}>`
      case 'mask':
        return stars(value, options.keepLast)
      case 'hash':
        return `<${type}:${digest(key, type, value)}>`
      case 'pseudonymize':
        return pseudonym(type, value, keyedBytes(key, type, value))
      case 'remove':
        return ''
    }
  }
  return (text, spans) => {
    let masked = ''
    let done = 0
    for (const { start, end, type } of spans) {
      masked += text.slice(done, start) + replacement(type, text.slice(start, end))
      done = end
    }
    return masked + text.slice(done)
  }
}

const letterOrDigit = /[\p{L}\p{M}\p{N}]/gu

/** Letters and digits as `*`, all but the last `keep`. */
function stars(value: string, keep: number): string {
  const count = value.match(letterOrDigit)?.length ?? 0
  let left = count - Math.min(keep, Math.floor(count / 3))
  return value.replace(letterOrDigit, (char) => (left-- > 0 ? '*' : char))
}

/** Types in which blanks and punctuation mean something; in all others only letters and digits count. */
const written = new Set(['EMAIL_ADDRESS', 'URL', 'IP_ADDRESS', 'CRYPTO'])

/** One form of a value, however it is written: `+1 (415) 555` and `+1-415-555` are the same. */
function canonical(type: string, value: string): string {
  const plain = value.normalize('NFKC')
  if (type === 'CRYPTO') return plain
  const lower = plain.toLowerCase()
  return written.has(type) ? lower : lower.replace(/[^\p{L}\p{N}+]/gu, '')
}

/** 128 bits of HMAC-SHA-256 (RFC 2104) over type and value, in hex. */
function digest(key: string, type: string, value: string): string {
  return createHmac('sha256', key)
    .update(`${type}\0${canonical(type, value)}`)
    .digest('hex')
    .slice(0, 32)
}

/** An endless row of bytes that key, type and value decide: HMAC-SHA-256 in counter mode. */
function keyedBytes(key: string, type: string, value: string): () => number {
  const seed = `${type}\0${canonical(type, value)}\0`
  let block = Buffer.alloc(0)
  let counter = 0
  let at = 0
  return () => {
    if (at === block.length) {
      block = createHmac('sha256', key).update(`${seed}${counter++}`).digest()
      at = 0
    }
    return block[at++] as number
  }
}
