/** Check digit algorithms on strings of digits and letters. Knows no document and no country. */

/** The value of an ASCII digit, or of a letter as A = 10 ... Z = 35 (ISO 7064, ICAO 9303). */
export function charValue(char: string): number {
  return Number.parseInt(char, 36)
}

/** Digits of `text`, as numbers. */
export function digitsOf(text: string): number[] {
  return Array.from(text, Number)
}

/** Sum of digit times weight, over the shorter of both. */
export function weightedSum(text: string, weights: readonly number[]): number {
  let sum = 0
  const length = Math.min(text.length, weights.length)
  for (let i = 0; i < length; i++) sum += charValue(text[i] as string) * (weights[i] as number)
  return sum
}

/** Luhn's algorithm (ISO/IEC 7812-1, annex B): true when the last digit is the check digit of the rest. */
export function luhn(digits: string): boolean {
  let sum = 0
  for (let i = digits.length - 1, double = false; i >= 0; i--, double = !double) {
    const digit = digits.charCodeAt(i) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/** ISO 7064 MOD 97-10 over digits and letters: true when the remainder is 1. */
export function mod97(text: string): boolean {
  let remainder = 0
  for (const char of text) {
    const value = charValue(char)
    remainder = (value > 9 ? remainder * 100 + value : remainder * 10 + value) % 97
  }
  return remainder === 1
}

/** ISO 7064 MOD 11,10 (hybrid): true when the last digit is the check digit of the rest. */
export function mod11And10(digits: string): boolean {
  let product = 10
  for (let i = 0; i < digits.length - 1; i++) {
    const sum = (Number(digits[i]) + product) % 10 || 10
    product = (sum * 2) % 11
  }
  return (11 - product) % 10 === Number(digits.at(-1))
}

/** The check digit of a machine readable travel document (ICAO 9303-3, 4.9): weights 7, 3, 1. True when the last digit is it. */
export function icao(text: string): boolean {
  let sum = 0
  for (let i = 0; i < text.length - 1; i++) sum += charValue(text[i] as string) * ([7, 3, 1][i % 3] as number)
  return sum % 10 === Number(text.at(-1))
}

/** The sum of decimal digits of each product: the step that German insurance numbers and Luhn share. */
export function digitSumOfProducts(digits: string, weights: readonly number[]): number {
  let sum = 0
  for (let i = 0; i < digits.length; i++) {
    const product = Number(digits[i]) * (weights[i] as number)
    sum += Math.trunc(product / 10) + (product % 10)
  }
  return sum
}

/** Multiplication in the dihedral group of order ten, as Verhoeff (1969) uses it. */
function dihedral(a: number, b: number): number {
  if (a < 5) return b < 5 ? (a + b) % 5 : 5 + ((a + b - 5) % 5)
  return b < 5 ? 5 + ((a - 5 - b + 5) % 5) : (a - b + 5) % 5
}

const verhoeffStep = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]

/** Verhoeff's algorithm: true when the last digit is the check digit of the rest. */
export function verhoeff(digits: string): boolean {
  let check = 0
  for (let i = 0; i < digits.length; i++) {
    let value = Number(digits[digits.length - 1 - i])
    for (let times = i % 8; times > 0; times--) value = verhoeffStep[value] as number
    check = dihedral(check, value)
  }
  return check === 0
}

/** Whether a day exists. `month` counts from 1. */
export function isDate(year: number, month: number, day: number): boolean {
  if (month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= (month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31)
}

/** Whether a day exists in the 19xx or the 20xx that two digits of a year may mean. */
export function isShortDate(year: number, month: number, day: number): boolean {
  return isDate(1900 + year, month, day) || isDate(2000 + year, month, day)
}
