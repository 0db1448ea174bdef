/** E-mail addresses (RFC 5322 dot-atom, RFC 6531 letters, RFC 5321 lengths), found around each `@`. */
import type { Detector } from './span.ts'
import { score } from './span.ts'

const localChar = /[\p{L}\p{N}.!#$%&'*+/=?^_`{|}~-]/u
const domain =
  /(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}(?:xn--[a-z0-9-]{1,59}|\p{L}{2,63})(?![\p{L}\p{N}_]|-[\p{L}\p{N}])/iuy
const longestLocal = 64

/** Finds EMAIL_ADDRESS. */
export const email: Detector = {
  types: [
    {
      name: 'EMAIL_ADDRESS',
      about: 'e-mail addresses, also with international letters',
      decidedBy: 'structure',
      byDefault: true,
    },
  ],
  find(text, found) {
    for (let at = text.indexOf('@'); at >= 0; at = text.indexOf('@', at + 1)) {
      const start = localStart(text, at)
      if (start === at) continue
      domain.lastIndex = at + 1
      const match = domain.exec(text)
      if (match) found(start, at + 1 + match[0].length, 'EMAIL_ADDRESS', score.proven)
    }
  },
}

/** The start of the local part that ends at `at`; `at` itself when there is none. Quotes and dots around it are no part of it. */
function localStart(text: string, at: number): number {
  if (text[at - 1] === '"') {
    const open = text.lastIndexOf('"', at - 2)
    return open >= 0 && at - open <= longestLocal && !/[\r\n@]/.test(text.slice(open, at)) ? open : at
  }
  let start = at
  while (start > 0 && at - start < longestLocal && localChar.test(text[start - 1] as string)) start--
  while (start < at && /[.'`{|}=/*]/.test(text[start] as string)) start++
  return text[at - 1] === '.' ? at : start
}
