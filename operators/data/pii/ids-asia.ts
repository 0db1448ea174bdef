/** Document numbers of India, Korea, the Philippines, Singapore, Thailand and Turkey. */
import { digitsOf, isShortDate, verhoeff, weightedSum } from './checksums.ts'
import { alone, digitsAlone, type IdRule, type Verdict } from './id-rule.ts'
import { score } from './span.ts'

/** Korean business registration: weights 1, 3, 7 ..., the tens of the ninth product added. */
export function checkKoreanBusiness(digits: string): Verdict {
  const sum = weightedSum(digits, [1, 3, 7, 1, 3, 7, 1, 3, 5]) + Math.trunc((Number(digits[8]) * 5) / 10)
  return (10 - (sum % 10)) % 10 === Number(digits[9])
}

/** Philippine taxpayer number: weights 9 to 2 of the first eight digits, modulo 11, are the ninth. */
export function checkPhilippineTin(digits: string): Verdict {
  return (
    /[1-9]/.test(digits) &&
    weightedSum(digits.slice(0, 8), [9, 8, 7, 6, 5, 4, 3, 2]) % 11 === Number(digits[8])
  )
}

/** Singapore entity number in its three forms: business, local company, other entities (ACRA). */
export function checkUen(number: string): Verdict {
  const last = number.at(-1)
  if (/^\d{8}[A-Z]$/.test(number))
    return 'XMKECAWLJDB'[weightedSum(number, [10, 4, 9, 3, 8, 2, 7, 1]) % 11] === last
  if (/^\d{9}[A-Z]$/.test(number))
    return 'ZKCMDNERGWH'[weightedSum(number, [10, 8, 6, 4, 9, 7, 5, 3, 1]) % 11] === last
  const alphabet = 'ABCDEFGHJKLMNPQRSTUVWX0123456789'
  const weights = [4, 3, 5, 3, 10, 2, 2, 5, 7]
  const sum = weights.reduce((total, weight, i) => total + weight * alphabet.indexOf(number[i] as string), 0)
  return alphabet[(((sum - 5) % 11) + 11) % 11] === last
}

/** Thai national id: a person's class, a province, weights 13 to 2, modulo 11. */
export function checkThai(digits: string): Verdict {
  const province = /^[1-8](?:1\d|2[0-7]|[34]\d|5[0-8]|6[0-7]|7[0-7]|8[0-6]|9[0-6])/
  if (!province.test(digits)) return false
  return (
    (11 - (weightedSum(digits, [13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11)) % 10 === Number(digits[12])
  )
}

/** Turkish national id: two check digits, of the odd and even places and of all. */
export function checkTurkish(number: string): Verdict {
  const d = digitsOf(number) as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const tenth = ((d[0] + d[2] + d[4] + d[6] + d[8]) * 7 - (d[1] + d[3] + d[5] + d[7]) + 100) % 10
  return tenth === d[9] && d.slice(0, 10).reduce((sum, digit) => sum + digit, 0) % 10 === d[10]
}

/** Korean resident and foreigner numbers: the birthday; numbers given since October 2020 have no check digit. */
function checkKoreanBirthday(digits: string): Verdict {
  return isShortDate(Number(digits.slice(0, 2)), Number(digits.slice(2, 4)), Number(digits.slice(4, 6)))
    ? null
    : false
}

/** Indian state and territory codes of number plates. */
const indianStates =
  'AN|AP|AR|AS|BR|CG|CH|DD|DL|DN|GA|GJ|HP|HR|JH|JK|KA|KL|LA|LD|MH|ML|MN|MP|MZ|NL|OD|OR|PB|PY|RJ|SK|TN|TR|TS|UK|UP|WB'

/** Rules of Asian numbers. */
export const asia: readonly IdRule[] = [
  {
    type: 'IN_AADHAAR',
    about: 'Indian Aadhaar, Verhoeff, in blocks or with a word of context',
    form: digitsAlone('[2-9]\\d{3}([- :])\\d{4}\\1\\d{4}'),
    digits: 12,
    check: (digits) => verhoeff(digits) && digits !== [...digits].reverse().join(''),
    proven: score.likely,
    context: ['aadhaar', 'aadhar', 'uidai', 'आधार'],
  },
  {
    type: 'IN_AADHAAR',
    about: 'Indian Aadhaar, Verhoeff, in blocks or with a word of context',
    form: digitsAlone('[2-9]\\d{11}'),
    digits: 12,
    check: (digits) => verhoeff(digits) && digits !== [...digits].reverse().join(''),
    context: ['aadhaar', 'aadhar', 'uidai', 'आधार'],
  },
  {
    type: 'IN_GSTIN',
    about: 'Indian goods and services tax number, by its form (state, PAN, Z)',
    form: alone('(?:0[1-9]|[12]\\d|3[0-7])[A-Z]{5}\\d{4}[A-Z][1-9A-Z]Z[\\dA-Z]', 'i'),
    digits: 6,
    unproven: score.strong,
  },
  {
    type: 'IN_PAN',
    about: 'Indian permanent account number, by its form',
    form: alone('[A-Z]{5}\\d{4}[A-Z]', 'i'),
    digits: 4,
    unproven: score.likely,
    context: ['pan', 'permanent account', 'income tax'],
  },
  {
    type: 'IN_PASSPORT',
    about: 'Indian passport with a word of context',
    form: alone('[A-Z][1-9]\\d{5}[1-9]'),
    digits: 7,
    context: ['passport*'],
  },
  {
    type: 'IN_VEHICLE_REGISTRATION',
    about: 'Indian number plate: state, district, series, number',
    form: alone(`(?:${indianStates})[ -]?\\d{1,2}[ -]?[A-Z]{1,3}[ -]?\\d{4}`),
    digits: 5,
    unproven: score.likely,
    context: ['registration', 'rto', 'vehicle', 'number plate', 'bike', 'car'],
  },
  {
    type: 'IN_VOTER',
    about: 'Indian voter card with a word of context',
    form: alone('[A-Z]{3}\\d{7}', 'i'),
    digits: 7,
    context: ['voter*', 'epic', 'elector*', 'vote'],
  },
  {
    type: 'KR_BRN',
    about: 'Korean business registration, check digit, with its dashes or a word of context',
    form: digitsAlone('\\d{3}-\\d{2}-\\d{5}|\\d{10}'),
    digits: 10,
    check: checkKoreanBusiness,
    context: ['brn', 'business registration', '사업자', '사업자등록번호'],
  },
  {
    type: 'KR_DRIVER_LICENSE',
    about: 'Korean driving licence: region, year, serial, check, with a word of context',
    form: digitsAlone('(?:1[1-9]|2[0-8])([- ]?)\\d{2}\\1\\d{6}\\1\\d{2}'),
    digits: 12,
    context: ['driver license', 'driving licence', 'license', '운전면허', '면허'],
  },
  {
    type: 'KR_FRN',
    about: 'Korean foreigner number: birthday and class 5-8, with its dash or a word of context',
    form: digitsAlone('\\d{6}-[5-8]\\d{6}'),
    digits: 13,
    check: checkKoreanBirthday,
    unproven: score.likely,
    context: ['frn', 'foreigner*', 'alien registration', '외국인등록번호'],
  },
  {
    type: 'KR_FRN',
    about: 'Korean foreigner number: birthday and class 5-8, with its dash or a word of context',
    form: digitsAlone('\\d{6}[5-8]\\d{6}'),
    digits: 13,
    check: checkKoreanBirthday,
    context: ['frn', 'foreigner*', 'alien registration', '외국인등록번호'],
  },
  {
    type: 'KR_PASSPORT',
    about: 'Korean passport with a word of context',
    form: alone('[MSRODG](?:\\d{3}[A-Z]\\d{4}|\\d{8})', 'i'),
    digits: 7,
    context: ['passport*', '여권'],
  },
  {
    type: 'KR_RRN',
    about: 'Korean resident number: birthday and class 1-4, with its dash or a word of context',
    form: digitsAlone('\\d{6}-[1-4]\\d{6}'),
    digits: 13,
    check: checkKoreanBirthday,
    unproven: score.likely,
    context: ['rrn', 'resident registration', '주민등록번호', '주민번호'],
  },
  {
    type: 'KR_RRN',
    about: 'Korean resident number: birthday and class 1-4, with its dash or a word of context',
    form: digitsAlone('\\d{6}[1-4]\\d{6}'),
    digits: 13,
    check: checkKoreanBirthday,
    context: ['rrn', 'resident registration', '주민등록번호', '주민번호'],
  },
  {
    type: 'PH_MOBILE_NUMBER',
    about: 'Philippine mobile number (PHONE_NUMBER finds it too)',
    form: /(?<![\w+]|\d[-.])(?:\+63|0)[ -]?\(?9\d{2}\)?[ -]?\d{3}[ -]?\d{4}(?![\w]|[-.]\d)/g,
    digits: 11,
    unproven: score.likely,
    byDefault: false,
  },
  {
    type: 'PH_TIN',
    about: 'Philippine taxpayer number, check digit, with its dashes or a word of context',
    form: digitsAlone('\\d{3}-\\d{3}-\\d{3}(?:-\\d{3,5})?|\\d{9}(?:\\d{3})?'),
    digits: 9,
    check: checkPhilippineTin,
    context: ['tin', 'bir', 'taxpayer', 'tax id*'],
  },
  {
    type: 'SG_UEN',
    about: 'Singapore entity number, check letter',
    form: alone('\\d{8,9}[A-Z]|[TSR]\\d{2}[A-Z]{2}\\d{4}[A-Z]', 'i'),
    digits: 6,
    check: checkUen,
    proven: score.likely,
    context: ['uen', 'unique entity', 'acra', 'business registration'],
  },
  {
    type: 'TH_TNIN',
    about: 'Thai national id, province and check digit',
    form: digitsAlone('[1-8]\\d{12}|[1-8]-\\d{4}-\\d{5}-\\d{2}-\\d|[1-8] \\d{4} \\d{5} \\d{2} \\d'),
    digits: 13,
    check: checkThai,
    context: ['thai*', 'tnin', 'national id', 'เลขประจำตัวประชาชน', 'เลขบัตรประชาชน', 'บัตรประชาชน'],
  },
  {
    type: 'TR_LICENSE_PLATE',
    about: 'Turkish number plate with a word of context',
    form: alone('(?:0[1-9]|[1-7]\\d|8[01])[ -]?[A-Z]{1,3}[ -]?\\d{2,4}', 'i'),
    digits: 4,
    context: ['plaka*', 'plakası', 'license plate', 'number plate', 'araç'],
  },
  {
    type: 'TR_NATIONAL_ID',
    about: 'Turkish national id, two check digits',
    form: digitsAlone('[1-9]\\d{10}'),
    digits: 11,
    check: checkTurkish,
    proven: score.likely,
    context: ['tc kimlik', 'tckn', 'kimlik', 'turkish id', 't c kimlik'],
  },
  {
    type: 'TR_PHONE_NUMBER',
    about: 'Turkish telephone number (PHONE_NUMBER finds it too)',
    form: /(?<![\w+]|\d[-.])(?:(?:\+90|0)[ -]?)?\(?[2-5]\d{2}\)?[ .-]?\d{3}[ .-]?\d{2}[ .-]?\d{2}(?![\w]|[-.]\d)/g,
    digits: 10,
    unproven: score.likely,
    byDefault: false,
  },
]
