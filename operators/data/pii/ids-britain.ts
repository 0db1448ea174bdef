/** Document numbers of the United Kingdom, its post codes and number plates. */
import { weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

/** NHS number: weights 10 to 2, modulo 11. */
export function checkNhs(digits: string): Verdict {
  return weightedSum(digits, [10, 9, 8, 7, 6, 5, 4, 3, 2, 1]) % 11 === 0 && /[1-9]/.test(digits)
}

const plateLetters = '[A-HJ-PR-Z]'

/** Rules of British numbers. */
export const britain: readonly IdRule[] = [
  {
    type: 'UK_DRIVING_LICENCE',
    about: 'British driving licence, by its form (name, birthday, initials)',
    form: alone('[A-Z][A-Z9]{4}\\d[0156]\\d(?:0[1-9]|[12]\\d|3[01])\\d[A-Z][A-Z9]\\d[A-Z]{2}', 'i'),
    digits: 6,
    check: (number) => (/^[0156][1-9]|[15]0|[156][0-2]/.test(number.slice(6, 8)) ? null : false),
    unproven: score.strong,
  },
  {
    type: 'UK_NHS',
    about: 'NHS number, check digit, with a word of context',
    form: digitsAlone('\\d{3}([- ]?)\\d{3}\\1\\d{4}'),
    digits: 10,
    check: checkNhs,
    context: ['nhs', 'national health', 'health service', 'patient'],
  },
  {
    type: 'UK_NINO',
    about: 'British national insurance number, by its form and prefixes',
    form: alone(
      '(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2} ?\\d{2} ?\\d{2} ?[A-D]',
      'i',
    ),
    digits: 6,
    unproven: score.strong,
  },
  {
    type: 'UK_PASSPORT',
    about: 'British passport with a word of context',
    form: alone('[A-Z]{2}\\d{7}', 'i'),
    digits: 7,
    context: ['passport*', 'travel document', 'hmpo'],
  },
  {
    type: 'UK_POSTCODE',
    about: 'British post code, with its blank or a word of context',
    form: alone(
      'GIR 0AA|(?:[A-PR-UWYZ]\\d[\\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\\d[\\dABEHMNPRVWXY]?) \\d[ABD-HJLNP-UW-Z]{2}',
    ),
    digits: 1,
    unproven: score.likely,
    context: ['postcode', 'post code', 'postal code', 'address'],
  },
  {
    type: 'UK_POSTCODE',
    about: 'British post code, with its blank or a word of context',
    form: alone(
      'GIR0AA|(?:[A-PR-UWYZ]\\d[\\dA-HJKPSTUW]?|[A-PR-UWYZ][A-HK-Y]\\d[\\dABEHMNPRVWXY]?)\\d[ABD-HJLNP-UW-Z]{2}',
    ),
    digits: 1,
    context: ['postcode', 'post code', 'postal code', 'address'],
  },
  {
    type: 'UK_VEHICLE_REGISTRATION',
    about: 'British number plate: the form since 2001, older ones with a word of context',
    form: alone(
      `(?!Z)${plateLetters}${plateLetters}(?:0[2-9]|[12]\\d|5[1-9]|[67]\\d)[ -]?${plateLetters}{3}` +
        `|[A-HJ-NP-TV-Y]\\d{1,3}[ -]?${plateLetters}{3}|${plateLetters}{3}[ -]?\\d{1,3}[A-HJ-NPR-TV-Y]`,
      'i',
    ),
    digits: 1,
    context: [
      'registration',
      'reg',
      'number plate',
      'licence plate',
      'license plate',
      'vehicle',
      'vehicles',
      'car',
      'plate',
      'vrm',
    ],
  },
]
