/** Telephone numbers: candidates by their shape, decided by numbering plans and by the words in front. Knows no plan itself. */
import { contextOf } from './context.ts'
import type { NumberingPlans } from './phone-plans.ts'
import type { Detector, Found, PiiType } from './span.ts'
import { score } from './span.ts'

/** Blocks of digits with one separator, or a bracket, between them; bounded, so that each start costs the same. */
const form =
  /(?<![\p{L}\d]|[\d][.,/+-])(?:\+ ?)?\(?\d{1,15}(?:(?:\)[ .\-/]?|[ .\-/\u00a0\u2011\u2013]\(?|\()\d{1,14}){0,8}(?:[ ,]{0,2}(?:x|ext|extn|extension)\.?[ :]?\d{1,7})?(?![\p{L}\d]|[.,-]?\d)/giu

const extension = /[ ,]{0,2}(?:x|ext|extn|extension)\.?[ :]?\d{1,7}$/i
const yearRange = /^(?:1[4-9]|20)\d{2} ?[-/\u2013 .]{1,3} ?(?:1[4-9]|20)\d{2}$/
const day = '(?:0?[1-9]|[12]\\d|3[01])'
const date = new RegExp(
  `^(?:(?:1[4-9]|20)\\d{2}([-/. ])(?:0?[1-9]|1[0-2])\\1${day}|${day}([-/. ])${day}\\2(?:(?:1[4-9]|20)\\d{2}|\\d{2}))(?: \\d{1,2})?$|^(?:19|20)\\d{6}[ -]\\d{4,6}$`,
)
const address = /^\d{1,3}(?:\.\d{1,3}){3}$/
/** Blocks with dashes or dots, then one behind a blank (a year, an amount), unless the blank follows the country's 1. */
const mixed = /^(?!1 ).*\d[-./]\d.* \d/
const decimal = /^\d+\.\d+$/
const thousands = /^\d{1,3}(?:[ .]\d{3})+$/

/** Words that name a telephone: what follows closely needs only the shape of a number. */
const words = contextOf(
  (
    'call, called, calling, phone*, telephone*, tel, mobile, mob, cell, cellphone, fax, desk, dial, ring, ' +
    'hotline, whatsapp, telegram, viber, signal, sms, text me, texted, pager, landline, office phone, ' +
    'voicemail, ph, telefon*, handy, mobil*, rufnummer, telefono, teléfono, móvil, celular, telefone, ' +
    'cellulare, téléphone, tél, portable, tlf, puh, puhelin*, komórk*, cep, cep no, gsm, telepono, тел, ' +
    'телефон*, 电话, 手机, 電話, 携帯, 전화'
  ).split(', '),
)
/** Words that a telephone shares with other things: what follows must not be an amount as well. */
const sharedWords = contextOf(
  'contact, reach, message, messages, registered, number, numbers, line, nummer, número, numero, numéro'.split(
    ', ',
  ),
)
const reach = 40

/** Words that name another number: what follows them directly is no telephone. */
const otherNumber =
  /(?:isbn|issn|doi|ean|upc|rfc|iso|orders?|invoices?|serial|ticket|tracking|part|model|version|ref(?:erence)?|case|docket)[ .:#-]{0,3}(?:no|nr|number|id)?[ .:#-]{0,3}$/i

/** PHONE_NUMBER, as the documentation lists it. */
export const phoneType: PiiType = {
  name: 'PHONE_NUMBER',
  about:
    'telephone numbers of the numbering plans (libphonenumber), or of that shape behind a word such as "call"',
  decidedBy: 'structure',
  byDefault: true,
}

/** Finds PHONE_NUMBER. `regions` are those whose national numbers are known without `+`. */
export function phoneDetector(plans: NumberingPlans, regions: readonly string[]): Detector {
  return {
    types: [phoneType],
    find(text, found) {
      for (const match of text.matchAll(form)) {
        const digits = match[0].replace(extension, '').replace(/\D/g, '').length
        if (digits >= 7 && digits <= 60) candidate(text, match.index, match[0], found)
      }
    },
  }

  /** The candidate, or as many of its leading blocks as make a number; no more than three are taken off. */
  function candidate(text: string, at: number, whole: string, found: Found): void {
    const lead = text.slice(Math.max(0, at - reach), at)
    const named = words.test(lead)
    const shared = named || sharedWords.test(lead)
    if (!named && otherNumber.test(lead)) return
    const start = whole.startsWith('(') && !whole.includes(')') ? 1 : 0
    let value = whole.slice(start)
    for (let taken = 0; taken <= 3 && value !== ''; taken++) {
      const sure = certainty(value, named, shared)
      if (sure > 0) {
        found(at + start, at + start + value.length, 'PHONE_NUMBER', sure)
        return
      }
      value = value.slice(0, Math.max(0, value.search(/[ \u00a0][^ \u00a0]*$/)))
      // The first blocks of a long row of blocks are no number of their own.
      if (average(value) < 2.6 || (!named && /\d \d/.test(value))) return
    }
  }

  function certainty(value: string, named: boolean, shared: boolean): number {
    const number = value.replace(extension, '')
    if (number.startsWith('+')) return international(number, named)
    if (!hasShape(number)) return 0
    const digits = number.replace(/\D/g, '').length
    const abroad = /^(?:00|011[ -])(?=[\d -])/.exec(number)
    if (abroad && plans.isValid(`+${number.slice(abroad[0].length)}`))
      return named ? score.strong : score.likely
    const split = /\D/.test(number)
    if (!shared && mixed.test(number)) return 0
    const amount = thousands.test(number) || decimal.test(number)
    if (digits <= 15 && regions.some((region) => plans.isValid(number, region))) {
      if (named || (shared && (split || digits > 9))) return score.strong
      return split && digits >= 9 && !amount ? score.likely : score.weak
    }
    if (named && digits <= 13) return score.likely
    return shared && split && digits <= 13 && !amount ? score.likely : 0
  }

  function international(number: string, named: boolean): number {
    if (plans.isValid(number)) return score.strong
    const digits = number.replace(/\D/g, '').length
    return plans.isPossible(number) || (named && digits >= 7 && digits <= 15) ? score.likely : 0
  }
}

/** Whether the blocks of a national number can be one: no dates or addresses of hosts, no rows of single digits or of scores. */
function hasShape(number: string): boolean {
  const blocks = number.match(/\d+/g) ?? []
  const digits = blocks.join('').length
  if ((blocks.at(-1)?.length ?? 0) < 2) return false
  if (digits < 7 || digits > 16 || yearRange.test(number) || date.test(number) || address.test(number))
    return false
  if (average(number) >= 2.6) return true
  const separators = new Set(number.replace(/[()]/g, '').match(/\D/g))
  return average(number) >= 1.9 && separators.size <= 1
}

/** Digits per block. */
function average(number: string): number {
  const blocks = number.match(/\d+/g) ?? []
  return blocks.join('').length / blocks.length
}
