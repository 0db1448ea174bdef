/** Document numbers of the United States and Canada. */
import { luhn, weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

/** Numbers printed in advertisements, which the Social Security Administration withdrew or never gave. */
const knownFalseSsns = ['078051120', '123456789', '987654321', '219099999']

/** Social Security number: areas 000, 666 and 900-999, group 00 and serial 0000 are never given (SSA, 2011 randomization). */
export function checkSsn(digits: string): Verdict {
  if (/^(?:000|666|9)/.test(digits) || digits.slice(3, 5) === '00' || digits.endsWith('0000')) return false
  return knownFalseSsns.includes(digits) || /^(\d)\1+$/.test(digits) ? false : null
}

/** ABA routing number: a Federal Reserve prefix, weights 3, 7, 1. */
export function checkRouting(digits: string): Verdict {
  return (
    /^(?:0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2]|80)/.test(digits) &&
    weightedSum(digits, [3, 7, 1, 3, 7, 1, 3, 7, 1]) % 10 === 0
  )
}

/** DEA registration: the odd digits plus twice the even ones end in the last. */
export function checkDea(number: string): Verdict {
  return weightedSum(number.slice(-7, -1), [1, 2, 1, 2, 1, 2]) % 10 === Number(number.at(-1))
}

/** National Provider Identifier: Luhn with the prefix 80840 (45 CFR 162.406). */
export function checkNpi(digits: string): Verdict {
  return luhn(`80840${digits}`) && !/^(\d)\1{8}/.test(digits)
}

const ssnAbout =
  'Social Security number: three blocks, or nine digits with a word of context; rules of area, group and serial'
const ssnWords = ['ssn', 'ssns', 'social security', 'social sec*', 'soc sec', 'ss#', 'ssid']

const mbiLetter = '[AC-HJKMNP-RT-Y]'
const mbiAny = '[AC-HJKMNP-RT-Y\\d]'

/** Rules of North American numbers. */
export const americas: readonly IdRule[] = [
  {
    type: 'US_SSN',
    about: ssnAbout,
    form: /(?<!\w|\d[-./])\d{3}-\d{2}-\d{4}(?!\w|-\d)/g,
    digits: 9,
    check: checkSsn,
    unproven: score.strong,
  },
  {
    type: 'US_SSN',
    about: ssnAbout,
    form: /(?<!\w|\d[-./])\d{3}([ .])\d{2}\1\d{4}(?!\w|\1\d)/g,
    digits: 9,
    check: checkSsn,
    unproven: score.likely,
    context: ssnWords,
  },
  {
    type: 'US_SSN',
    about: ssnAbout,
    form: digitsAlone('\\d{9}|\\d{3}-\\d{6}|\\d{5}-\\d{4}'),
    digits: 9,
    check: checkSsn,
    context: ssnWords,
  },
  {
    type: 'US_ITIN',
    about:
      'US individual taxpayer number: 9xx, groups 50-65, 70-88, 90-92, 94-99; three blocks, or a word of context',
    form: /(?<![\w]|\d[-./])9\d{2}([- ])(?:5\d|6[0-5]|7\d|8[0-8]|9[0-24-9])\1\d{4}(?!\w|[-./]\d)/g,
    digits: 9,
    unproven: score.likely,
    context: ['itin', 'taxpayer', 'tax id*', 'tax number'],
  },
  {
    type: 'US_ITIN',
    about:
      'US individual taxpayer number: 9xx, groups 50-65, 70-88, 90-92, 94-99; three blocks, or a word of context',
    form: digitsAlone(
      '9\\d{2}-?(?:5\\d|6[0-5]|7\\d|8[0-8]|9[0-24-9])\\d{4}|9\\d{2}(?:5\\d|6[0-5]|7\\d|8[0-8]|9[0-24-9])-\\d{4}',
    ),
    digits: 9,
    context: ['itin', 'taxpayer', 'tax id*', 'tax number'],
  },
  {
    type: 'ABA_ROUTING_NUMBER',
    about: 'US bank routing number, prefix and check digit, with a word of context',
    form: digitsAlone('\\d{4}-?\\d{4}-?\\d'),
    digits: 9,
    check: checkRouting,
    context: ['aba', 'routing', 'rtn', 'bank routing', 'wire'],
  },
  {
    type: 'US_BANK_NUMBER',
    about: 'US bank account: eight to seventeen digits with a word of context',
    form: digitsAlone('\\d{8,17}'),
    digits: 8,
    unproven: score.faint,
    context: [
      'bank account',
      'account number',
      'account no',
      'acct',
      'acct no',
      'checking account',
      'savings account',
      'bank no',
    ],
  },
  {
    type: 'US_DRIVER_LICENSE',
    about: 'US driving licence: a letter and digits, or digits, with a word of context',
    form: digitsAlone('[A-Z]\\d{7,14}|\\d{7,14}'),
    digits: 7,
    unproven: score.faint,
    context: [
      'driver license',
      "driver's license",
      'drivers license',
      'driver licence',
      'driving license',
      'dl#',
      'dl no',
      'dln',
      'license number',
    ],
  },
  {
    type: 'US_MBI',
    about: 'Medicare beneficiary identifier, by its form',
    form: alone(`[1-9]${mbiLetter}${mbiAny}\\d-?${mbiLetter}${mbiAny}\\d-?${mbiLetter}{2}\\d{2}`, 'i'),
    digits: 4,
    unproven: score.strong,
  },
  {
    type: 'US_NPI',
    about: 'US provider identifier, check digit, with a word of context',
    form: digitsAlone('[12]\\d{9}|[12]\\d{3}([- ])\\d{3}\\1\\d{3}'),
    digits: 10,
    check: checkNpi,
    context: ['npi', 'national provider', 'provider', 'provider id*'],
  },
  {
    type: 'US_PASSPORT',
    about: 'US passport: nine digits, or a letter and eight, with a word of context',
    form: alone('[A-Z]\\d{8}|\\d{9}'),
    digits: 8,
    unproven: score.faint,
    context: ['passport*', 'travel document'],
  },
  {
    type: 'MEDICAL_LICENSE',
    about: 'DEA registration of a prescriber, check digit',
    form: alone('[ABCDEFGHJKLMPRSTUX][A-Z9]\\d{7}', 'i'),
    digits: 7,
    check: checkDea,
    proven: score.likely,
    context: ['dea', 'medical license', 'certificate', 'prescriber', 'license'],
  },
  {
    type: 'CA_SIN',
    about: 'Canadian social insurance number, Luhn, with a word of context',
    form: digitsAlone('[1-79]\\d{2}([- ]?)\\d{3}\\1\\d{3}'),
    digits: 9,
    check: luhn,
    context: ['sin', 'social insurance', 'nas', 'assurance sociale', 'numéro d assurance'],
  },
]
