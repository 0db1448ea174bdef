/** Document numbers of Australia, South Africa and Nigeria. */
import { isShortDate, luhn, weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

/** Australian business number: the first digit less one, weights 10, 1, 3 ... 19, modulo 89. */
export function checkAbn(digits: string): Verdict {
  const lessOne = String(Number(digits[0]) - 1) + digits.slice(1)
  return digits[0] !== '0' && weightedSum(lessOne, [10, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19]) % 89 === 0
}

/** Australian company number: weights 8 to 1, the complement to ten. */
export function checkAcn(digits: string): Verdict {
  return (10 - (weightedSum(digits.slice(0, 8), [8, 7, 6, 5, 4, 3, 2, 1]) % 10)) % 10 === Number(digits[8])
}

/** Medicare card: weights 1, 3, 7, 9 of eight digits are the ninth. */
export function checkMedicare(digits: string): Verdict {
  return weightedSum(digits.slice(0, 8), [1, 3, 7, 9, 1, 3, 7, 9]) % 10 === Number(digits[8])
}

/** Australian tax file number: weights 1, 4, 3, 7, 5, 8, 6, 9, 10, modulo 11. */
export function checkTfn(digits: string): Verdict {
  return weightedSum(digits, [1, 4, 3, 7, 5, 8, 6, 9, 10]) % 11 === 0
}

/** South African id: birthday, citizenship 0-2, then 8 or 9, Luhn. */
export function checkSouthAfrican(digits: string): Verdict {
  if (!/^\d{10}[012][89]\d$/.test(digits) || !luhn(digits)) return false
  return isShortDate(Number(digits.slice(0, 2)), Number(digits.slice(2, 4)), Number(digits.slice(4, 6)))
}

/** Rules of Australian and African numbers. */
export const south: readonly IdRule[] = [
  {
    type: 'AU_ABN',
    about: 'Australian business number, check digits, with a word of context',
    form: digitsAlone('\\d{2} \\d{3} \\d{3} \\d{3}|\\d{11}'),
    digits: 11,
    check: checkAbn,
    context: ['abn', 'australian business'],
  },
  {
    type: 'AU_ACN',
    about: 'Australian company number, check digit, with a word of context',
    form: digitsAlone('\\d{3} \\d{3} \\d{3}|\\d{9}'),
    digits: 9,
    check: checkAcn,
    context: ['acn', 'australian company'],
  },
  {
    type: 'AU_MEDICARE',
    about: 'Australian Medicare card, check digit, with a word of context',
    form: digitsAlone('[2-6]\\d{3} \\d{5} \\d|[2-6]\\d{9}'),
    digits: 10,
    check: checkMedicare,
    context: ['medicare'],
  },
  {
    type: 'AU_TFN',
    about: 'Australian tax file number, check digit, with a word of context',
    form: digitsAlone('\\d{3} \\d{3} \\d{3}|\\d{9}'),
    digits: 9,
    check: checkTfn,
    context: ['tfn', 'tax file', 'australian tax'],
  },
  {
    type: 'NG_VEHICLE_REGISTRATION',
    about: 'Nigerian number plate with a word of context',
    form: alone('[A-Z]{3}[- ]?\\d{3}[A-Z]{2}', 'i'),
    digits: 3,
    context: ['plate', 'plates', 'vehicle', 'registration', 'number plate', 'car'],
  },
  {
    type: 'ZA_ID_NUMBER',
    about: 'South African id, birthday and check digit',
    form: digitsAlone('\\d{13}'),
    digits: 13,
    check: checkSouthAfrican,
    proven: score.likely,
    context: ['south african', 'rsa id', 'sa id', 'id number', 'identity number'],
  },
]
