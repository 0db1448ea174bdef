/** Telephone numbers: candidates by their shape, decided by numbering plans and by the words in front. Knows no plan itself. */
import { contextOf } from './context.ts'
import type { NumberingPlans } from './phone-plans.ts'
import type { Detector, Found } from './span.ts'
import { score } from './span.ts'

/** Blocks of digits with one separator, or a bracket, between them; bounded, so that each start costs the same. */
const form =
  /(?<![\p{L}\d]|[\d][.,/+-])(?:\+ ?)?\(?\d{1,15}(?:(?:\)[ .\-/]?|[ .\-/\u00a0\u2011\u2013]\(?|\()\d{1,14}){0,8}(?:[ ,]{0,2}(?:x|ext|extn|extension)\.?[ :]?\d{1,7})?(?![\p{L}\d]|[.,-]?\d)/giu

const extension = /[ ,]{0,2}(?:x|ext|extn|extension)\.?[ :]?\d{1,7}$/i
const yearRange = /^(?:1[4-9]|20)\d{2} ?[-/\u2013 .]{1,3} ?(?:1[4-9]|20)\d{2}$/
const day = '(?:0?[1-9]|[12]\\d|3[01])'
const date = new RegExp(
  `^(?:(?:1[4-9]|20)\\d{2}([-/. ])(?:0?[1-9]|1[0-2])\\1${day}|${day}([-/. ])${day}\\2(?:(?:1[4-9]|20)\\d{2}|\\d{2}))(?: \\d{1,2})?$`,
)
const address = /^\d{1,3}(?:\.\d{1,3}){3}$/
const thousands = /^\d{1,3}(?:[ .]\d{3})+$/

/** Words that name a telephone: what follows closely needs only the shape of a number. */
const words = contextOf([
  'call',
  'called',
  'calling',
  'phone*',
  'telephone*',
  'tel',
  'mobile',
  'mob',
  'cell',
  'cellphone',
  'fax',
  'desk',
  'dial',
  'ring',
  'hotline',
  'whatsapp',
  'telegram',
  'viber',
  'signal',
  'sms',
  'text me',
  'texted',
  'pager',
  'landline',
  'office phone',
  'voicemail',
  'ph',
  'telefon*',
  'handy',
  'mobil*',
  'rufnummer',
  'telefono',
  'teléfono',
  'móvil',
  'celular',
  'telefone',
  'cellulare',
  'téléphone',
  'tél',
  'portable',
  'tlf',
  'puh',
  'puhelin*',
  'komórk*',
  'cep',
  'cep no',
  'gsm',
  'telepono',
  'тел',
  'телефон*',
  '电话',
  '手机',
  '電話',
  '携帯',
  '전화',
])
/** Words that a telephone shares with other things: what follows must not be an amount as well. */
const sharedWords = contextOf([
  'contact',
  'reach',
  'message',
  'messages',
  'registered',
  'number',
  'numbers',
  'line',
  'nummer',
  'número',
  'numero',
  'numéro',
])
const reach = 40

/** Finds PHONE_NUMBER. `regions` are those whose national numbers are known without `+`. */
export function phoneDetector(plans: NumberingPlans, regions: readonly string[]): Detector {
  return {
    types: [
      {
        name: 'PHONE_NUMBER',
        about:
          'telephone numbers of the numbering plans (libphonenumber), or of that shape behind a word such as "call"',
        decidedBy: 'structure',
        byDefault: true,
      },
    ],
    find(text, found) {
      for (const match of text.matchAll(form)) {
        const digits = match[0].replace(extension, '').replace(/\D/g, '').length
        if (digits >= 7 && digits <= 60) candidate(text, match.index, match[0], found)
      }
    },
  }

  /** The candidate, or as many of its leading blocks as make a number. */
  function candidate(text: string, at: number, whole: string, found: Found): void {
    const lead = text.slice(Math.max(0, at - reach), at)
    const named = words.test(lead)
    const shared = named || sharedWords.test(lead)
    const start = whole.startsWith('(') && !whole.includes(')') ? 1 : 0
    for (
      let value = whole.slice(start);
      value;
      value = value.slice(0, Math.max(0, value.search(/[ \u00a0][^ \u00a0]*$/)))
    ) {
      const sure = certainty(value, named, shared)
      if (sure === 0) continue
      found(at + start, at + start + value.length, 'PHONE_NUMBER', sure)
      return
    }
  }

  function certainty(value: string, named: boolean, shared: boolean): number {
    const number = value.replace(extension, '')
    const digits = number.replace(/\D/g, '')
    if (
      digits.length < 7 ||
      digits.length > 16 ||
      yearRange.test(number) ||
      date.test(number) ||
      address.test(number)
    )
      return 0
    if (number.startsWith('+')) return international(number)
    const abroad = /^(?:00|011[ -])(?=[\d -])/.exec(number)
    if (abroad && plans.isValid(`+${number.slice(abroad[0].length)}`))
      return named ? score.strong : score.likely
    const split = /\D/.test(number)
    if (digits.length <= 15 && regions.some((region) => plans.isValid(number, region))) {
      if (named || (shared && (split || digits.length > 9))) return score.strong
      return split && digits.length >= 9 && !thousands.test(number) ? score.likely : score.weak
    }
    if (named && digits.length <= 13) return score.likely
    return shared && split && digits.length <= 13 && !thousands.test(number) ? score.likely : 0
  }

  function international(number: string): number {
    if (plans.isValid(number)) return score.strong
    return plans.isPossible(number) ? score.likely : 0
  }
}
