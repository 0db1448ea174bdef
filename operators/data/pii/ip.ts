/** IP addresses: version 4, and version 6 in every form of RFC 4291, with zone (RFC 4007) and prefix length. */
import { isIPv6 } from 'node:net'
import { nearBefore } from './context.ts'
import type { Detector, Found } from './span.ts'
import { score } from './span.ts'

const octet = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)'
const v4 = new RegExp(
  `(?<![\\w]|\\d\\.)${octet}(?:\\.${octet}){3}(?![\\w])(?:\\/(?:3[0-2]|[12]?\\d)(?!\\d))?`,
  'g',
)
const v6 = /(?<![\w:.])[\da-f:.]*:[\da-f:.]*/gi
const versionWords = /(?:\bversions?|\brelease|\bsections?|\bchapter|\bfirmware|§|\bv\.?)\s*$/i

/** Finds IP_ADDRESS. */
export const ip: Detector = {
  types: [
    {
      name: 'IP_ADDRESS',
      about: 'IPv4 and IPv6, compressed, mapped, with zone or prefix length',
      decidedBy: 'structure',
      byDefault: true,
    },
  ],
  find(text, found) {
    if (text.includes('.')) findV4(text, found)
    if (text.includes(':')) findV6(text, found)
  },
}

function findV4(text: string, found: Found): void {
  for (const match of text.matchAll(v4)) {
    const end = match.index + match[0].length
    // A fifth number makes a version, an object id or a section of it.
    const longer = text[end] === '.' && /\d/.test(text[end + 1] ?? '')
    const version = nearBefore(text, match.index, versionWords)
    found(match.index, end, 'IP_ADDRESS', longer || version ? score.weak : score.strong)
  }
}

function findV6(text: string, found: Found): void {
  for (const match of text.matchAll(v6)) {
    const address = match[0].replace(/(?<=[^:]):$|\.+$/, '')
    if (!isIPv6(address)) continue
    let end = match.index + address.length
    if (/[\w]/.test(text[end] ?? '')) continue
    end += /^%[\w-]{1,16}(?![\w-])/.exec(text.slice(end, end + 18))?.[0].length ?? 0
    end += /^\/(?:12[0-8]|1[01]\d|\d{1,2})(?!\d)/.exec(text.slice(end, end + 5))?.[0].length ?? 0
    // `::`, `a::b`, `10::20` are also scopes, slices and times.
    const plain =
      !address.includes('.') &&
      address.split(/:+/).filter(Boolean).length < 3 &&
      !/^(?:::1|f[ef][\da-f]{2}::)/i.test(address)
    found(match.index, end, 'IP_ADDRESS', plain ? score.weak : score.strong)
  }
}
