/** Dates: those of birth by the words in front of them, and, when asked for, dates and times of any kind. */
import { isDate, isShortDate } from './checksums.ts'
import { contextOf, nearBefore } from './context.ts'
import type { Detector, Found } from './span.ts'
import { score } from './span.ts'
import { digitWindows } from './windows.ts'

const months =
  '(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)'
const time = '\\d{1,2}:\\d{2}(?::\\d{2}(?:[.,]\\d{1,9})?)?(?: ?[ap]\\.?m\\b\\.?)?'
const iso =
  /(?<!\w)\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:?\d{2})?)?(?![\w]|-\d)/g
const numeric = /(?<![\w/.-]|\d,)(\d{1,4})([/.-])(\d{1,2})\2(\d{4}|\d{2})(?![\w]|[/-]\w|\.\d)/g
const named = new RegExp(
  `(?<!\\w)(?:\\d{1,2}(?:st|nd|rd|th)?[ -](?:of )?${months}\\.?(?:,?[ -]\\d{4}|-\\d{2})?|${months}\\.?[ -]\\d{1,2}(?:st|nd|rd|th)?(?:,? \\d{4}|-\\d{4})?|${months}[ -]\\d{4})(?!\\w|-\\w)`,
  'gi',
)
const partial = /(?<![\w/.-])(?:0?[1-9]|1[0-2])\/(?:\d{4}|\d{2})(?![\w/]|\.\d)/g
const clock = new RegExp(`(?<![\\w:.+-])${time}(?![\\w:])`, 'gi')
const year =
  /(?<=(?<![\p{L}])(?:in|during|since|until|till|by|before|after|from|around|circa|early|late|mid|of)[ -])(?:1[4-9]|20)\d{2}(?![\w]|[.,]\d|-\d{3})/giu

const birthWords = contextOf(
  (
    'born, birth*, dob, d o b, date of birth, bday, b day, geboren, geb, geburts*, né le, née le, ' +
    'naissance, nacido, nacida, nacimiento, nascido, nascida, nascimento, nato il, nata il, nascita, ' +
    'geboortedatum, född, födelse*, født, fødsel*, syntynyt, syntymä*, urodzon*, urodzenia, narozen*, ' +
    'született, doğum, 生年月日, 出生, 생년월일'
  ).split(', '),
)

/** Finds DATE_OF_BIRTH, and DATE_TIME when it is asked for. */
export const dates: Detector = {
  types: [
    {
      name: 'DATE_OF_BIRTH',
      about: 'a full date close behind a word of birth',
      decidedBy: 'context',
      byDefault: true,
    },
    {
      name: 'DATE_TIME',
      about: 'dates, times, and years behind a preposition',
      decidedBy: 'structure',
      byDefault: false,
    },
  ],
  find(text, found, wanted) {
    const births = wanted('DATE_OF_BIRTH')
    const all = wanted('DATE_TIME')
    if (!births && !all) return
    fullDates(text, (start, end, type, sure) => {
      if (all) found(start, end, type, sure)
      if (births && nearBefore(text, start, birthWords)) found(start, end, 'DATE_OF_BIRTH', score.strong)
    })
    if (!all) return
    for (const form of [partial, clock, year]) {
      for (const match of text.matchAll(form)) {
        found(match.index, match.index + match[0].length, 'DATE_TIME', score.likely)
      }
    }
  },
}

function fullDates(text: string, found: Found): void {
  for (const { start, end, digits } of digitWindows(text)) {
    if (digits < 2) continue
    const part = text.slice(start, end)
    for (const form of [iso, named]) {
      for (const match of part.matchAll(form)) {
        found(start + match.index, start + match.index + match[0].length, 'DATE_TIME', score.strong)
      }
    }
    for (const match of part.matchAll(numeric)) {
      const [all, first, , second, third] = match as unknown as [string, string, string, string, string]
      if (isNumericDate(Number(first), Number(second), third, first.length)) {
        found(start + match.index, start + match.index + all.length, 'DATE_TIME', score.strong)
      }
    }
  }
}

/** Whether three numbers are a date in any common order: year first, day first, or month first. */
function isNumericDate(first: number, second: number, third: string, width: number): boolean {
  if (width === 3) return false
  if (width === 4) return isDate(first, second, Number(third))
  const fits = third.length === 4 ? isDate : isShortDate
  return fits(Number(third), second, first) || fits(Number(third), first, second)
}
