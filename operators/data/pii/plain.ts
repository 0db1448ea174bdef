/** Other writings of ASCII characters, one for one, so that offsets stay: what detectors read. Knows no detector. */

const foreign =
  /[\u00a0\u2000-\u200a\u2010-\u2013\u202f\u2212\u3000\u0660-\u0669\u06f0-\u06f9\u0966-\u096f\uff01-\uff5e]/
const all = new RegExp(foreign.source, 'g')

/**
 * The text with full-width forms, Arabic and Devanagari digits, blanks and dashes of all kinds in ASCII. As long as the text
 * that was given, in UTF-16 units; the same string where nothing is to do.
 */
export function plain(text: string): string {
  return foreign.test(text) ? text.replace(all, ascii) : text
}

function ascii(char: string): string {
  const code = char.charCodeAt(0)
  if (code >= 0xff01) return String.fromCharCode(code - 0xfee0)
  if (code >= 0x2010 && code <= 0x2013) return '-'
  if (code === 0x2212) return '-'
  if (code >= 0x0660 && code <= 0x096f)
    return String((code - (code < 0x06f0 ? 0x0660 : code < 0x0966 ? 0x06f0 : 0x0966)) % 10)
  return ' '
}
