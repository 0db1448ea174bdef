/** Web addresses and host names. A scheme or `www.` decides alone; a bare name needs a top-level domain that is in use. */
import type { Detector, Found } from './span.ts'
import { score } from './span.ts'

const label = '[\\p{L}\\p{N}](?:[\\p{L}\\p{N}_-]{0,61}[\\p{L}\\p{N}])?'
const rest = '[^\\s<>"`{}|\\\\^\\u0000-\\u001f\\u00ab\\u00bb\\u201c\\u201d\\u2018\\u2019]'
const withScheme = new RegExp(
  `(?<![A-Za-z\\d])(?:https?|ftps?|sftp|wss?|ssh|git|s3|gs|rtsp|ldaps?)://(?:[^\\s/?#@<>"]{1,128}@)?` +
    `(?:\\[[\\da-f:.]{2,45}\\]|(?:${label}\\.){1,10}(?:xn--[a-z\\d-]{1,59}|\\p{L}{2,63}|\\d{1,3})|localhost)(?![\\p{L}\\p{N}])(?::\\d{1,5})?(?:[/?#]${rest}{0,2048})?`,
  'giu',
)
const withWww = new RegExp(
  `(?<![\\p{L}\\p{N}@._-])www\\d?\\.(?:${label}\\.){1,8}\\p{L}{2,63}(?![\\p{L}\\p{N}_-])(?::\\d{1,5})?(?:[/?#]${rest}{0,2048})?`,
  'giu',
)
const bare =
  /(?<![\w@.\-/\\:$#&%])((?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.){1,8})([a-z]{2,18})(?![\w@-]|\.[a-z\d])(?::\d{1,5}(?!\d))?(?:[/?#][^\s<>"`{}|\\^]{0,2048})?/gi

/** Generic top-level domains whose names are seldom the end of a sentence or of a file's name. */
const generic = new Set(
  (
    'com org net edu gov mil int info biz name mobi aero coop museum jobs travel xyz online site website app dev tech cloud blog ' +
    'shop store live club agency email solutions digital media network systems company ltd gmbh inc llc bank law icu top vip asia arpa onion'
  ).split(' '),
)
/** Country code domains (ISO 3166 delegations in use), but those below. */
const country = new Set(
  (
    'ac ad ae af ag al ao aq ar aw ax az ba bb bd bf bg bh bi bj bm bn bo br bs bt bw bz ca cd cf cg ch ci ck cl cm cn co cr cu cv cw ' +
    'cx cy cz de dj dk dm dz ec ee eg er es et eu fi fj fk fm fo fr ga gd ge gf gg gh gi gl gm gn gp gq gr gt gu gw gy hk hn hr ht hu ' +
    'ie il im io iq ir je jm jo jp ke kg kh ki km kn kp kr kw ky kz lb lc li lk lr ls lt lu lv ly ma mc mg mh mm mn mo mp mq mr mt mu ' +
    'mv mw mx mz na nc ne nf ng ni nl np nr nu nz om pa pe pf pg ph pk pn pr pt pw qa re ro ru rw sa sb sc sd se sg si sj sk sl sm sn ' +
    'sr ss sv sx sy sz tc td tf tg th tj tk tl tm tn tr tt tv tw tz ua ug uk uy uz va vc ve vg vn vu wf ws ye yt za zm zw su'
  ).split(' '),
)
/** Domains that are also words, abbreviations or file extensions: a bare `main.py` or `did.so` is none. */
const ambiguous = new Set(
  'ai am as at au be by cc do gs hm id in is it la me ml mk ms mu my no pl pm ps py rs sh so st to tv us vi md'.split(
    ' ',
  ),
)

/** Finds URL, host names included (what other tools name DOMAIN_NAME). */
export const url: Detector = {
  types: [
    {
      name: 'URL',
      about: 'web addresses with a scheme or www., and bare host names of known top-level domains',
      decidedBy: 'structure',
      byDefault: true,
    },
  ],
  find(text, found) {
    if (!text.includes('.') && !text.includes('://')) return
    if (text.includes('://')) report(text, withScheme, found, () => score.proven)
    if (/www/i.test(text)) report(text, withWww, found, () => score.proven)
    report(text, bare, found, bareScore)
  },
}

function report(text: string, form: RegExp, found: Found, sure: (match: RegExpMatchArray) => number): void {
  for (const match of text.matchAll(form)) {
    const value = trimEnd(match[0])
    const certainty = sure(match)
    if (certainty > 0) found(match.index as number, (match.index as number) + value.length, 'URL', certainty)
  }
}

/** How sure a bare name is; 0 when its last label is no top-level domain. A capital begins a sentence, not a domain. */
function bareScore(match: RegExpMatchArray): number {
  const [all, labels, last] = match as unknown as [string, string, string]
  const name = labels.slice(0, -1)
  if (last !== last.toLowerCase() && all !== all.toUpperCase()) return 0
  const lower = last.toLowerCase()
  if (/^\d+$/.test(name)) return 0
  const known = generic.has(lower) || country.has(lower)
  const path = /[/?#]/.test(all)
  if (name.length < 2 && !path) return known || ambiguous.has(lower) ? score.weak : 0
  if (known) return score.strong
  if (!ambiguous.has(lower)) return 0
  return path || name.includes('.') ? score.likely : score.weak
}

/** Without the sentence's own punctuation: final stops and commas, and a closing bracket that was not opened inside. */
function trimEnd(value: string): string {
  let end = value.length
  for (; end > 0; end--) {
    const char = value[end - 1] as string
    if (/[.,;:!?'*~…]/.test(char)) continue
    const open = char === ')' ? '(' : char === ']' ? '[' : ''
    if (open === '' || count(value, open, end) >= count(value, char, end)) break
  }
  return value.slice(0, end)
}

function count(value: string, char: string, end: number): number {
  let times = 0
  for (let i = 0; i < end; i++) if (value[i] === char) times++
  return times
}
