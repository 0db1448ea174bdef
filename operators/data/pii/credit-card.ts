/** Payment card numbers (ISO/IEC 7812): a length and first digit that are issued, and Luhn's check digit. */
import { luhn } from './checksums.ts'
import type { Detector } from './span.ts'
import { score } from './span.ts'

/** 12 to 19 digits, in one block or in blocks of 3 to 7 with one kind of separator. */
const form = /(?<!\w|\d[.-])(?:\d{12,19}|\d{4}(?:([ -])\d{2,7})(?:\1\d{1,7}){1,4})(?!\w|[-.]\d)/g

/**
 * First digits issued, by length: Maestro 12-19 (50, 56-69), Visa 13/16/19 (4), Diners 14 (30, 36, 38, 39),
 * American Express 15 (34, 37), JCB 15 (1800, 2131) and 16 (3528-3589), UATP 15 (1), Mastercard 16 (2, 5),
 * Discover 16-19 (6), UnionPay 16-19 (62, 81), Mir 16-19 (2200-2204), RuPay 16 (81, 82), Troy 16 (9792).
 * Thirteen digits from 1 on are times in milliseconds, from 9 on article numbers, and no cards.
 */
const issued: { readonly [length: number]: RegExp } = {
  12: /^(?:5[06-9]|6)/,
  13: /^(?:4|5[06-9]|6)/,
  14: /^(?:3[0689]|5[06-9]|6)/,
  15: /^(?:1|2131|3[47]|5[06-9]|6)/,
  16: /^(?:2|3[05689]|4|5|6|8[12]|9792)/,
  17: /^(?:22|5[06-9]|6|81)/,
  18: /^(?:22|5[06-9]|6|81)/,
  19: /^(?:22|4|5[06-9]|6|81)/,
}

/** Whether `digits` (no separators) can be a card: issued length and first digits, Luhn, not one digit repeated. */
function isCardNumber(digits: string): boolean {
  return (issued[digits.length]?.test(digits) ?? false) && luhn(digits) && !/^(\d)\1+$/.test(digits)
}

/** Finds CREDIT_CARD. */
export const creditCard: Detector = {
  types: [
    {
      name: 'CREDIT_CARD',
      about: 'payment cards of all issued lengths (12-19), Luhn',
      decidedBy: 'checksum',
      byDefault: true,
    },
  ],
  find(text, found) {
    for (const match of text.matchAll(form)) {
      if (isCardNumber(match[0].replace(/[ -]/g, ''))) {
        found(match.index, match.index + match[0].length, 'CREDIT_CARD', score.proven)
      }
    }
  },
}
