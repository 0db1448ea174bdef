/** Document numbers of Spain, Italy, Poland, Finland and Sweden. */
import { charValue, isDate, isShortDate, luhn, weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

const spanishLetters = 'TRWAGMYFPDXBNJZSQVHLCKE'

/** Spanish NIF and NIE: the letter is the number modulo 23; X, Y, Z stand for 0, 1, 2. */
export function checkSpanish(number: string): Verdict {
  const digits = number.slice(0, -1).replace(/^[XYZ]/, (letter) => String('XYZ'.indexOf(letter)))
  return spanishLetters[Number(digits) % 23] === number.at(-1)
}

/** Values of characters in odd places of an Italian fiscal code, 0-9 and A-Z alike (DM 23.12.1976). */
const italianOdd = [
  1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23,
]

/** Italian fiscal code: a failed check letter says nothing, as the form alone is told from anything else. */
export function checkFiscalCode(code: string): Verdict {
  let sum = 0
  for (let i = 0; i < 15; i++) {
    const value = charValue(code[i] as string)
    const place = value > 9 ? value - 10 : value
    sum += i % 2 === 0 ? (italianOdd[place] as number) : place
  }
  return String.fromCharCode(65 + (sum % 26)) === code[15] ? true : null
}

/** Polish PESEL: birthday with the century in the month (+80, 0, +20, +40, +60), weights 1, 3, 7, 9. */
export function checkPesel(number: string): Verdict {
  if (!/^\d{11}$/.test(number)) return false
  const month = Number(number.slice(2, 4))
  const century = [1900, 2000, 2100, 2200, 1800][Math.trunc(month / 20)] as number
  if (!isDate(century + Number(number.slice(0, 2)), month % 20, Number(number.slice(4, 6)))) return false
  return (10 - (weightedSum(number, [1, 3, 7, 9, 1, 3, 7, 9, 1, 3]) % 10)) % 10 === Number(number[10])
}

const finnishCenturies: { readonly [sign: string]: number } = {
  '+': 1800,
  ...Object.fromEntries([...'-UVWXY'].map((sign) => [sign, 1900])),
  ...Object.fromEntries([...'ABCDEF'].map((sign) => [sign, 2000])),
}

/** Finnish personal identity code, sign included: birthday, and the number modulo 31 as a letter. */
export function checkHetu(code: string): boolean {
  const text = code.toUpperCase()
  const century = finnishCenturies[text[6] ?? '']
  if (century === undefined) return false
  const [day, month, year] = [text.slice(0, 2), text.slice(2, 4), text.slice(4, 6)].map(Number) as [
    number,
    number,
    number,
  ]
  if (!isDate(century + year, month, day)) return false
  return '0123456789ABCDEFHJKLMNPRSTUVWXY'[Number(text.slice(0, 6) + text.slice(7, 10)) % 31] === text[10]
}

/** Swedish personal number: birthday (day plus 60 for coordination numbers), Luhn over the last ten digits. */
export function checkPersonnummer(number: string): Verdict {
  const short = number.slice(-10)
  const day = Number(short.slice(4, 6))
  const month = Number(short.slice(2, 4))
  const real = day > 60 ? day - 60 : day
  const exists =
    number.length === 12
      ? isDate(Number(number.slice(0, 4)), month, real)
      : isShortDate(Number(short.slice(0, 2)), month, real)
  return exists && luhn(short)
}

/** Rules of southern, eastern and northern European numbers. */
export const europe: readonly IdRule[] = [
  {
    type: 'ES_NIE',
    about: 'Spanish foreigner number, check letter',
    form: alone('[XYZ]\\d{7}-?[A-Z]', 'i'),
    digits: 7,
    check: checkSpanish,
    proven: score.strong,
  },
  {
    type: 'ES_NIF',
    about: 'Spanish tax and identity number, check letter',
    form: alone('\\d{7,8}-?[A-Z]', 'i'),
    digits: 7,
    check: checkSpanish,
    proven: score.likely,
    context: ['nif', 'dni', 'documento nacional', 'identificación'],
  },
  {
    type: 'ES_PASSPORT',
    about: 'Spanish passport with a word of context',
    form: alone('[A-Z]{3}\\d{6}', 'i'),
    digits: 6,
    context: ['pasaporte', 'passport*'],
  },
  {
    type: 'FI_PERSONAL_IDENTITY_CODE',
    about: 'Finnish personal identity code, birthday and check letter',
    form: /(?<!\d)(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])\d{2}[-+A-FU-Y]\d{3}[\dA-FHJ-NPR-Y](?![A-Za-z\d])/gi,
    digits: 9,
    check: (_, written) => checkHetu(written),
  },
  {
    type: 'IT_DRIVER_LICENSE',
    about: 'Italian driving licence: the U1 form, or the older one with a word of context',
    form: alone('[A-Z]{2}\\d{7}[A-Z]|U1[BCDFGHJ-NPR-Z\\d]{7}[A-Z]', 'i'),
    digits: 2,
    context: ['patente', 'licenza', 'driver license', 'driving licence', 'license', 'guida'],
  },
  {
    type: 'IT_FISCAL_CODE',
    about: 'Italian fiscal code, by its form',
    form: alone('[A-Z]{6}[\\dLMNPQRSTUV]{2}[A-EHLMPRST][\\dLMNPQRSTUV]{2}[A-Z][\\dLMNPQRSTUV]{3}[A-Z]', 'i'),
    digits: 4,
    check: checkFiscalCode,
    proven: score.proven,
    unproven: score.likely,
  },
  {
    type: 'IT_IDENTITY_CARD',
    about: 'Italian identity card, paper and electronic forms, with a word of context',
    form: alone('[A-Z]{2} ?\\d{7}|\\d{7}[A-Z]{2}|[A-Z]{2}\\d{5}[A-Z]{2}', 'i'),
    digits: 5,
    context: ['carta identità', "carta d'identità", 'identità', 'identity card', 'cie', 'documento'],
  },
  {
    type: 'IT_PASSPORT',
    about: 'Italian passport with a word of context',
    form: alone('[A-Z]{2}\\d{7}', 'i'),
    digits: 7,
    context: ['passaporto', 'passport*'],
  },
  {
    type: 'IT_VAT_CODE',
    about: 'Italian VAT number, check digit, with a word of context',
    form: digitsAlone('\\d(?:[ _]?\\d){10}'),
    digits: 11,
    check: (number) => luhn(number) && /[1-9]/.test(number),
    context: ['partita iva', 'p iva', 'p.iva', 'iva', 'vat', 'piva'],
  },
  {
    type: 'PL_PESEL',
    about: 'Polish PESEL, birthday and check digit',
    form: digitsAlone('\\d{11}'),
    digits: 11,
    check: checkPesel,
    proven: score.likely,
    context: ['pesel'],
  },
  {
    type: 'SE_ORGANISATIONSNUMMER',
    about: 'Swedish organisation number, check digit, with its dash or a word of context',
    form: digitsAlone('\\d{2}[2-9]\\d{3}-?\\d{4}'),
    digits: 10,
    check: luhn,
    context: ['orgnummer', 'organisationsnummer', 'org nr', 'orgnr', 'företag', 'company'],
  },
  {
    type: 'SE_PERSONNUMMER',
    about:
      'Swedish personal number, birthday and check digit, in the long form, with its dash or a word of context',
    form: /(?<![\d]|\d[-.])(?:(?:18|19|20)\d{6}[-+]?\d{4}|\d{6}[-+]?\d{4})(?![A-Za-z\d]|[-.]\d)/g,
    digits: 10,
    check: checkPersonnummer,
    proven: score.likely,
    context: ['personnummer', 'pnr', 'personal identity', 'samordningsnummer'],
  },
]
