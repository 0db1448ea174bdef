/** Values of the same form that belong to nobody, from a row of bytes. Knows no key and no text. */

/** A row of bytes that never ends. */
type Bytes = () => number

const base32 = 'abcdefghijklmnopqrstuvwxyz234567'
const monthNames = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

/**
 * A value in the place of `value`. Names of hosts lie below the reserved example.com (RFC 2606), IP addresses in 10/8
 * (RFC 1918) and 2001:db8::/32 (RFC 3849), hardware addresses are locally administered; of all else each digit becomes a digit
 * and each letter a letter, and the rest stays. Check digits are not kept up.
 */
export function pseudonym(type: string, value: string, next: Bytes): string {
  switch (type) {
    case 'EMAIL_ADDRESS':
      return `user-${name(next, 10)}@example.com`
    case 'URL':
      return `${/^[a-z\d]+:\/\//i.exec(value)?.[0] ?? ''}${name(next, 10)}.example.com`
    case 'IP_ADDRESS':
      return address(value, next)
    case 'MAC_ADDRESS':
      return hardware(value, next)
    case 'DATE_OF_BIRTH':
    case 'DATE_TIME':
      return date(value, next)
    default:
      return sameForm(value, next)
  }
}

function name(next: Bytes, length: number): string {
  return Array.from({ length }, () => base32[next() & 31]).join('')
}

/** A number from 0 below `limit` (at most 256), each equally likely. */
function below(next: Bytes, limit: number): number {
  const fair = 256 - (256 % limit)
  for (;;) {
    const byte = next()
    if (byte < fair) return byte % limit
  }
}

function address(value: string, next: Bytes): string {
  if (!value.includes(':')) return `10.${next()}.${next()}.${next()}`
  const group = () => ((next() << 8) | next()).toString(16)
  return `2001:db8:${[group(), group(), group(), group(), group(), group()].join(':')}`
}

function hardware(value: string, next: Bytes): string {
  let digit = 0
  return value.replace(
    /[\da-f]/gi,
    () => (digit++ < 2 ? '02'[digit - 1] : below(next, 16).toString(16)) as string,
  )
}

/** Days and months from 1 to 12, so that their order does not matter, years from 1930 to 1999; other numbers as they come. */
function date(value: string, next: Bytes): string {
  return value.replace(/\d+|\p{L}{3,}/gu, (part) => {
    if (/^\d{4}$/.test(part)) return String(1930 + below(next, 70))
    if (/^\d{1,2}$/.test(part))
      return String(1 + below(next, part.length === 1 ? 9 : 12)).padStart(part.length, '0')
    if (/^\d+$/.test(part)) return sameForm(part, next)
    const month = monthNames.find((one) => one.slice(0, 3).toLowerCase() === part.slice(0, 3).toLowerCase())
    if (month === undefined) return part
    const other = monthNames[below(next, 12)] as string
    return part.length > 4 || part.toLowerCase() === month.toLowerCase() ? other : other.slice(0, 3)
  })
}

/** Each digit a digit (a leading zero stays one, others do not become one), each letter a letter of the same case. */
function sameForm(value: string, next: Bytes): string {
  let first = true
  return value.replace(/\p{Nd}|\p{L}/gu, (char) => {
    if (/\p{Nd}/u.test(char)) {
      const digit = first ? (char === '0' ? 0 : 1 + below(next, 9)) : below(next, 10)
      first = false
      return String(digit)
    }
    const letter = String.fromCharCode(97 + below(next, 26))
    return char === char.toLowerCase() ? letter : letter.toUpperCase()
  })
}
