/** Postal addresses by their form: a street with a number, a flat, a box, and the town behind. Knows no map. */
import { contextOf, nearBefore } from './context.ts'
import type { Detector, Found } from './span.ts'
import { score } from './span.ts'
import { digitWindows } from './windows.ts'

const number = '\\d{1,5}(?:[A-Za-z](?![\\p{L}])|[-/]\\d{1,4})?'
const cap = "\\p{Lu}[\\p{L}\\p{M}'’.-]{0,30}"
const particle =
  '(?:de|da|do|das|dos|di|du|des|del|della|dei|la|le|les|los|las|of|the|van|von|zu|zum|zur|am|der|den|het|ter|e|y|et|and|el|nad|z|od|na|i)'
const words = (least: number, most: number) =>
  `(?:(?:${cap}|${particle}|\\d{1,3}(?:st|nd|rd|th)) ){${least},${most}}`

/** Words that end the name of a street in English, from USPS publication 28 and Royal Mail's usage. */
const english =
  'Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Terrace|Terr?|Way|Parkway|Pkwy|Highway|Hwy|Circle|Cir|' +
  'Crescent|Cres|Close|Grove|Gardens|Gdns|Row|Mews|Trail|Trl|Alley|Turnpike|Pike|Plaza|Walk|Wharf|Quay|Parade|Esplanade|Loop|Heights|Bypass'
/** Words that begin it in Romance and Slavic languages, Hungarian articles aside. */
const leading =
  'Rua|R\\.|Avenida|Av\\.|Avda\\.|Calle|C\\/|Carrer|Via|Viale|Piazza|Piazzale|Corso|Vicolo|Largo|Travessa|Praça|Plaza|Paseo|Camino|Strada|' +
  'Chemin|Allée|Allee|Place|Quai|Impasse|Route|Boulevard|Bd|[Rr]ue|ul\\.|[Uu]lica|[Uu]lice|al\\.|pl\\.|os\\.|Πλατεία|Οδός|улица|ул\\.|Jalan|Jl\\.'
/** Endings of a compound name in Germanic and Nordic languages, Finnish, and Baltic ones. */
const ending =
  'stra(?:ß|ss)e|str\\.|gasse|weg|platz|allee|damm|ufer|gatan|gata|gränd|vägen|väg|veien|vegen|vej|gade|gate|stræde|' +
  'katu|tie|kuja|polku|laan|straat|plein|kade|dijk|dreef|singel|gracht|stræti|braut|iela|gatvė'
/** Last words of a name of several words. */
const lastWord =
  'Stra(?:ß|ss)e|Str\\.|Weg|Platz|Allee|Ring|Damm|utca|útja|út|tér|krt\\.|rkp\\.|tänav|maantee|tee|põik|gata|gate|vei|veg|iela|gatvė|prospekt'
/** Words that only look like one of those. */
const noStreet =
  'Brigade|Decade|Renegade|Investigate|Congregate|Delegate|Mitigate|Aggregate|Watergate|Norweg|Necktie|Katie|Untie'

const forms = [
  `(?:${number},? ){1,2}${words(1, 4)}(?:${english})\\b\\.?(?: (?:N|S|E|W|NE|NW|SE|SW)\\b)?`,
  `(?:${number},? ){0,2}(?:${leading}) ${words(0, 6)}${cap},? ${number}`,
  `(?:${number},? ){1,2}(?:${leading}) ${words(0, 5)}${cap}`,
  `(?:${number} )?(?:${cap} ){0,3}(?!(?:${noStreet}) )${cap}(?:${ending}) ${number}\\.?`,
  `(?:${number} )?${cap}(?: [\\p{L}.'’-]{2,20}){0,2} (?:${lastWord}) ${number}\\.?`,
  `the corner of (?:[\\p{L}\\d.'’-]{1,20} ){1,6}and ${words(0, 2)}${cap}`,
  `(?:P\\.? ?O\\.? ?Box|Postfach|Apartado|Casilla|Boîte postale) ?#?\\d{1,6}`,
  `(?:PSC|Unit|CMR|USS|USNS|USCGC|USNV) [\\p{L}\\d' -]{1,40}?,?(?: Box \\d{1,5})?[\\s,]{1,3}(?:APO|FPO|DPO),? (?:AA|AE|AP) \\d{5}(?:-\\d{4})?`,
].map((form) => new RegExp(`(?<![\\p{L}\\d.])(?:${form})(?![\\p{L}\\d])`, 'gu'))

const unit =
  /(?<![\p{L}\d])(?:Apt|Apartment|Suite|Ste|Flat|Unit|Room|Rm|Floor|Fl)\.? ?#?\d{1,5}[A-Z]?(?![\p{L}\d])/gu
const behind = new RegExp(
  `^(?:[,\\s>]{1,4}(?:${cap} ){0,2}(?:Apt|Apartment|Suite|Ste|Flat|Unit|Room|Rm|Floor|Fl)\\.? ?#?\\d{1,5}[A-Z]?(?![\\p{L}\\d])){1,2}`,
  'u',
)
const inFront = new RegExp(
  `${number},? (?:(?:[\\p{L}][\\p{L}\\p{M}'’.-]{0,30}|\\d{1,5}\\.?)[ ,]{1,2}){0,7}[\\p{L}\\d][\\p{L}\\p{M}\\d'’.-]{0,30}[,\\s>]{1,4}$`,
  'u',
)
const line = `(?:${cap}|\\(${cap}\\)|\\d{4,6}|${particle}|nan)(?: (?:${cap}|\\(${cap}\\)|\\d{3,6}(?:[- ]\\d{2,4})?|${particle})){0,4}`
const town = new RegExp(`^(?:(?:[,\\s>]{0,2}[,\\n][,\\s>]{0,3})${line}(?![\\p{L}\\d:])){1,3}`, 'u')
const zip = /(?<!\d)\d{4,6}(?:-\d{4})?$/

/** Words close before a place where somebody lives or something is sent, and what may stand between them and it. */
const placeWords = contextOf(
  (
    'address, addresses, live, lived, lives, living, resid*, sent, send, ship, shipped, deliver*, ' +
    'arrived, meet me, moved, drops you off, enter on, located, adresse, wohnt, dirección, endereço, ' +
    'indirizzo'
  ).split(', '),
)
const leadIn = /(?:^|[\s>])(?:at|to|in|on|is|same|address|user|adresse)[:,]?\s{1,2}$|[:>]\s{0,2}$/i
const month = 'January|February|March|April|May|June|July|August|September|October|November|December'
const notYear = '(?!(?:1[5-9]|20)\\d{2}(?!\\d))'
const named = new RegExp(
  `(?<![\\p{L}\\d.])(?:${number} (?:(?!${month})${cap} ){1,4}${number}|(?:(?!${month})${cap} ){1,4}${notYear}${number})\\.?(?![\\p{L}\\d:])`,
  'gu',
)

/** Finds STREET_ADDRESS. */
export const streetAddress: Detector = {
  types: [
    {
      name: 'STREET_ADDRESS',
      about:
        'streets with a number in a dozen languages, flats, boxes, military post, and the town behind them',
      decidedBy: 'structure',
      byDefault: true,
    },
  ],
  find(text, found) {
    for (const { start, end } of digitWindows(text, 80)) {
      const part = start === 0 && end === text.length ? text : text.slice(start, end)
      const report = (from: number, to: number, sure: number) =>
        extend(text, start + from, start + to, sure, found)
      for (const form of forms) {
        for (const match of part.matchAll(form))
          report(match.index, match.index + match[0].length, score.likely)
      }
      for (const match of part.matchAll(unit)) {
        const front = inFront.exec(part.slice(Math.max(0, match.index - 90), match.index))
        report(match.index - (front?.[0].length ?? 0), match.index + match[0].length, score.likely)
      }
      for (const match of part.matchAll(named)) {
        if (isPlace(part, match.index)) report(match.index, match.index + match[0].length, score.likely)
      }
    }
  },
}

/** Whether what starts at `at` is said to be where somebody lives, or something is or goes. */
function isPlace(text: string, at: number): boolean {
  return leadIn.test(text.slice(Math.max(0, at - 12), at)) && nearBefore(text, at, placeWords)
}

/** Takes the flat and the town behind a street with it: the town only by its comma or line, up to its post code if it has one. */
function extend(text: string, start: number, to: number, sure: number, found: Found): void {
  let end = to
  end += behind.exec(text.slice(end, end + 80))?.[0].length ?? 0
  const rest = text.slice(end, end + 160)
  const tail = town.exec(rest)?.[0] ?? ''
  if (tail) {
    const lines = tail.split(/(?=[,\n])/)
    const coded = lines.findLastIndex((part) => zip.test(part.trim()))
    end += coded >= 0 ? lines.slice(0, coded + 1).join('').length : tail.length
  }
  found(start, end, 'STREET_ADDRESS', sure)
}
