/** Bank account numbers (ISO 13616): the country's length and structure, and MOD 97-10. */
import { mod97 } from './checksums.ts'
import { isWordCode } from './context.ts'
import type { Detector } from './span.ts'
import { score } from './span.ts'

/**
 * Structure of the part behind the check digits per country, as the SWIFT IBAN registry writes it:
 * a count, then `n` digits, `a` capital letters, `c` letters or digits.
 */
const registry =
  'AD8n12c AE19n AL8n16c AT16n AZ4a20n BA16n BE12n BG4a6n8c BH4a14c BI23n BR23n1a1c BY4c4n16c CH5n12c CR18n CY8n16c CZ20n ' +
  'DE18n DJ23n DK14n DO4c20n EE16n EG25n ES20n FI14n FK2a12n FO14n FR10n11c2n GB4a14n GE2a16n GI4a15c GL14n GR7n16c ' +
  'GT24c HN4a20n HR17n HU24n IE4a14n IL19n IQ4a15n IS22n IT1a10n12c JO4a4n18c KW4a22c KZ3n13c LB4n20c LC4a24c LI5n12c ' +
  'LT16n LU3n13c LV4a13c LY21n MC10n11c2n MD20c ME18n MK3n10c2n MN16n MR23n MT4a5n18c MU4a19n3a NI4a20n NL4a10n NO11n ' +
  'OM3n16c PK4a16c PL24n PS4a21c PT21n QA4a21c RO4a16c RS18n RU14n15c SA2n18c SC4a20n3a SD14n SE20n SI15n SK20n ' +
  'SM1a10n12c SO19n ST21n SV4a20n TL19n TN20n TR5n1n16c UA6n19c VA18n VG4a16n XK16n YE4a4n18c'

const classes: { readonly [letter: string]: string } = { n: '\\d', a: '[A-Z]', c: '[A-Z\\d]' }

const structures = new Map(
  registry.split(' ').map((entry) => {
    const parts = [...entry.slice(2).matchAll(/(\d+)([nac])/g)]
    const length = 4 + parts.reduce((sum, part) => sum + Number(part[1]), 0)
    const pattern = parts.map(([, count, kind]) => `${classes[kind as string]}{${count}}`).join('')
    return [entry.slice(0, 2), { length, pattern: new RegExp(`^[A-Z]{2}\\d{2}${pattern}$`) }]
  }),
)

/** Whether `text` (no separators, capitals) is an IBAN of a country of the registry. */
function isIban(text: string): boolean {
  const structure = structures.get(text.slice(0, 2))
  return structure?.pattern.test(text) === true && mod97(text.slice(4) + text.slice(0, 4))
}

const head = /(?<![A-Za-z\d])[A-Za-z]{2}[ -]?\d{2}/g

/** Finds IBAN_CODE, in one block or with a blank or dash between characters, in capitals or small letters. */
export const iban: Detector = {
  types: [
    {
      name: 'IBAN_CODE',
      about: 'bank accounts: length and structure per country, mod 97',
      decidedBy: 'checksum',
      byDefault: true,
    },
  ],
  find(text, found) {
    for (const { index } of text.matchAll(head)) {
      const length = structures.get(text.slice(index, index + 2).toUpperCase())?.length
      if (length === undefined) continue
      const [compact, end] = take(text, index, length)
      const capitals = compact.toUpperCase()
      if (compact !== capitals && compact !== compact.toLowerCase()) continue
      if (compact.length === length && !isWordCode(text.charCodeAt(end)) && isIban(capitals)) {
        found(index, end, 'IBAN_CODE', score.proven)
      }
    }
  },
}

/** Up to `length` letters and digits from `start`, single blanks and dashes skipped, and where they end. */
function take(text: string, start: number, length: number): [string, number] {
  let compact = ''
  let i = start
  for (; compact.length < length; i++) {
    const char = text[i] ?? ''
    if (isWordCode(char.charCodeAt(0))) compact += char
    else if (!/^[ \u00a0-]$/.test(char) || !isWordCode(text.charCodeAt(i + 1))) break
  }
  return [compact, i]
}
