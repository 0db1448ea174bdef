/** German document numbers: the forms, and the check digits as their issuers define them. */
import { digitSumOfProducts, icao, mod11And10, weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

/** Physician number (KBV): six digits weighted 4, 9; their sum and the seventh make a multiple of ten. */
export function checkLanr(number: string): Verdict {
  return (
    /^\d{9}$/.test(number) &&
    (10 - (weightedSum(number.slice(0, 6), [4, 9, 4, 9, 4, 9]) % 10)) % 10 === Number(number[6])
  )
}

/** Practice number (KBV): a region, six digits, no check digit. */
export function checkBsnr(number: string): Verdict {
  return /^\d{9}$/.test(number) && number !== '000000000' ? null : false
}

/** Health insurance number (SGB V 290): the letter as two digits, weights 1, 2, digit sums, modulo 10. */
export function checkHealthInsurance(number: string): Verdict {
  const text = number.toUpperCase()
  if (!/^[A-Z]\d{9}$/.test(text)) return false
  const letter = String(text.charCodeAt(0) - 64).padStart(2, '0')
  return (
    digitSumOfProducts(letter + text.slice(1, 9), [1, 2, 1, 2, 1, 2, 1, 2, 1, 2]) % 10 === Number(text[9])
  )
}

const documentForm = /^[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\d]{7}\d$/

/** Passport number (ICAO 9303): no vowels and no B, D, Q, S; the last digit checks the rest. */
export function checkPassport(number: string): Verdict {
  const text = number.toUpperCase()
  return documentForm.test(text) && icao(text)
}

/** Identity card number: as the passport's; `T` and eight digits is the form before 2010, without a check digit. */
export function checkIdCard(number: string): Verdict {
  return /^T\d{8}$/i.test(number) ? null : checkPassport(number)
}

/** Pension insurance number (VKVV 4): area, birthday (plus 50 when numbers ran out), letter, serial, check digit. */
export function checkSocialSecurity(number: string): Verdict {
  const text = number.toUpperCase()
  const parts = /^(\d{2})(\d{2})(\d{2})(\d{2})([A-Z])(\d{2})(\d)$/.exec(text)
  if (!parts) return false
  const day = Number(parts[2])
  const month = Number(parts[3])
  if (!((day >= 1 && day <= 31) || (day >= 51 && day <= 81)) || month < 1 || month > 12) return false
  const letter = String(text.charCodeAt(8) - 64).padStart(2, '0')
  const digits = text.slice(0, 8) + letter + text.slice(9, 11)
  return digitSumOfProducts(digits, [2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1]) % 10 === Number(text[11])
}

/** Tax identification number (AO 139b): eleven digits, MOD 11,10, no digit more than three times among the first ten. */
export function checkTaxId(number: string): Verdict {
  if (!/^[1-9]\d{10}$/.test(number) || !mod11And10(number)) return false
  const body = number.slice(0, 10)
  return [...body].every((digit) => body.split(digit).length <= 4)
}

/** VAT number: `DE` and nine digits. MOD 11,10 proves it; as not all that are in use pass, a failure says nothing. */
export function checkVatId(number: string): Verdict {
  const text = number.toUpperCase().replace(/[ .-]/g, '')
  if (!/^DE\d{9}$/.test(text)) return false
  return mod11And10(text.slice(2)) ? true : null
}

/** Rules of German numbers. */
export const germany: readonly IdRule[] = [
  {
    type: 'DE_BSNR',
    about: 'German practice number: nine digits with a word such as BSNR',
    form: digitsAlone('\\d{9}'),
    digits: 9,
    check: checkBsnr,
    unproven: score.faint,
    context: ['bsnr', 'betriebsstätte*', 'betriebsstaette*', 'praxisnummer'],
  },
  {
    type: 'DE_FUEHRERSCHEIN',
    about: 'German driving licence: two letters, eight digits, one more, with a word of context',
    form: alone('[A-Z]{2}\\d{8}[A-Z\\d]', 'i'),
    digits: 8,
    context: ['führerschein*', 'fuehrerschein*', 'fahrerlaubnis*', 'driving licence', 'driver license'],
  },
  {
    type: 'DE_HANDELSREGISTER',
    about: 'German commercial register: HRA or HRB and up to six digits',
    form: alone('HR[AB] ?\\d{1,6}', 'i'),
    digits: 1,
    unproven: score.likely,
    context: ['handelsregister*', 'amtsgericht', 'registergericht'],
  },
  {
    type: 'DE_HEALTH_INSURANCE',
    about: 'German health insurance number, check digit',
    form: alone('[A-Z]\\d{9}', 'i'),
    digits: 9,
    check: checkHealthInsurance,
    proven: score.likely,
    context: [
      'kvnr',
      'krankenversicherung*',
      'krankenkasse*',
      'versichertennummer',
      'egk',
      'gesundheitskarte',
    ],
  },
  {
    type: 'DE_ID_CARD',
    about: 'German identity card, check digit, or the old T number with a word of context',
    form: alone('[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\\d]{7}\\d', 'i'),
    digits: 4,
    check: checkIdCard,
    context: ['personalausweis*', 'ausweis*', 'identity card', 'id card', 'perso'],
  },
  {
    type: 'DE_KFZ',
    about: 'German number plate with a word of context',
    form: alone('[A-ZÄÖÜ]{1,3}[ -][A-Z]{1,2}[ -]\\d{1,4}[EH]?', 'i'),
    digits: 1,
    context: ['kennzeichen', 'kfz*', 'nummernschild', 'fahrzeug', 'number plate', 'license plate'],
  },
  {
    type: 'DE_LANR',
    about: 'German physician number, check digit, with a word such as LANR',
    form: digitsAlone('\\d{9}'),
    digits: 9,
    check: checkLanr,
    context: ['lanr', 'arztnummer', 'betriebsarzt*'],
  },
  {
    type: 'DE_PASSPORT',
    about: 'German passport, check digit, with a word of context',
    form: alone('[CFGHJKLMNPRTVWXYZ][CFGHJKLMNPRTVWXYZ\\d]{7}\\d', 'i'),
    digits: 4,
    check: checkPassport,
    context: ['reisepass*', 'pass nr', 'passnummer', 'pass', 'passport*'],
  },
  {
    type: 'DE_PLZ',
    about: 'German postal code with a word such as PLZ',
    form: digitsAlone('(?!01000|99999|00)\\d{5}'),
    digits: 5,
    unproven: score.faint,
    context: ['plz', 'postleitzahl*', 'anschrift', 'wohnort'],
  },
  {
    type: 'DE_SOCIAL_SECURITY',
    about: 'German pension insurance number, birthday and check digit',
    form: alone('\\d{8}[A-Z]\\d{3}', 'i'),
    digits: 11,
    check: checkSocialSecurity,
    proven: score.strong,
    context: ['rvnr', 'rentenversicherung*', 'sozialversicherung*', 'versicherungsnummer', 'svnr'],
  },
  {
    type: 'DE_TAX_ID',
    about: 'German tax identification number, check digit, with a word of context',
    form: digitsAlone('[1-9]\\d{10}|[1-9]\\d \\d{3} \\d{3} \\d{3}'),
    digits: 11,
    check: checkTaxId,
    context: ['steuer id*', 'steueridentifikation*', 'idnr', 'steuerliche identifikation*', 'tin', 'tax id'],
  },
  {
    type: 'DE_TAX_NUMBER',
    about: 'German tax number in the national or a regional form with a word of context',
    form: /(?<![\w/])(?:(?:0[1-9]|1[0-6])\d{11}|\d{2,3}\/\d{3,4}\/\d{4,5})(?![\w/])/g,
    digits: 9,
    context: ['steuernummer', 'st nr', 'st.-nr', 'steuernr', 'finanzamt', 'tax number'],
  },
  {
    type: 'DE_VAT_ID',
    about: 'German VAT number, check digit or form',
    form: alone('DE[ .-]?\\d{3}[ .-]?\\d{3}[ .-]?\\d{3}', 'i'),
    digits: 9,
    check: checkVatId,
    proven: score.proven,
    unproven: score.likely,
    context: ['ust id*', 'umsatzsteuer*', 'vat', 'mwst'],
  },
]
