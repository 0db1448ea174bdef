/** Languages that are known by their script alone. Knows nothing of words or models. */

/**
 * Scripts that one living language owns in practice, so that the script is the answer and a model can only be wrong
 * (Unicode Standard, chapters 7-18; ISO 639-1, or 639-3 where there is no 639-1 code).
 */
const scripts: readonly (readonly [language: string, script: RegExp])[] = [
  ['th', /\p{Script=Thai}/gu],
  ['lo', /\p{Script=Lao}/gu],
  ['km', /\p{Script=Khmer}/gu],
  ['my', /\p{Script=Myanmar}/gu],
  ['bo', /\p{Script=Tibetan}/gu],
  ['ko', /\p{Script=Hangul}/gu],
  ['gu', /\p{Script=Gujarati}/gu],
  ['pa', /\p{Script=Gurmukhi}/gu],
  ['or', /\p{Script=Oriya}/gu],
  ['ta', /\p{Script=Tamil}/gu],
  ['te', /\p{Script=Telugu}/gu],
  ['kn', /\p{Script=Kannada}/gu],
  ['ml', /\p{Script=Malayalam}/gu],
  ['si', /\p{Script=Sinhala}/gu],
  ['ka', /\p{Script=Georgian}/gu],
  ['hy', /\p{Script=Armenian}/gu],
  ['el', /\p{Script=Greek}/gu],
  ['dv', /\p{Script=Thaana}/gu],
  ['jv', /\p{Script=Javanese}/gu],
  ['ii', /\p{Script=Yi}/gu],
  ['chr', /\p{Script=Cherokee}/gu],
  ['iu', /\p{Script=Canadian_Aboriginal}/gu],
]

const letter = /\p{L}/gu
const han = /\p{Script=Han}/gu
const kana = /[\p{Script=Hiragana}\p{Script=Katakana}]/gu
/** Below this everything is Latin, Greek or Cyrillic: nothing here but Greek, which has its own quick look. */
const anyCandidate =
  /[\u0370-\u03ff\u0530-\u058f\u0780-\u07bf\u0a00-\u0fff\u1000-\u18af\u1c90-\u1cbf\u1f00-\u1fff\u2d00-\u2d2f\u3040-\uffff]/u

/** The language that the script of most letters gives away, and the languages that can be told so. */
export const byScript = {
  languages: [...scripts.map(([language]) => language), 'ja', 'zh'],

  /** Null where the script serves several languages (Latin, Cyrillic, Arabic, Devanagari, Bengali, Ethiopic, Hebrew). */
  of(text: string): string | null {
    if (!anyCandidate.test(text)) return null
    const half = count(letter, text) / 2
    // Japanese mixes kana and Han; Chinese has no kana beyond a name or a quotation.
    const kanas = count(kana, text)
    const eastAsian = kanas + count(han, text)
    if (eastAsian > half) return kanas * 10 >= eastAsian ? 'ja' : 'zh'
    return scripts.find(([, script]) => count(script, text) > half)?.[0] ?? null
  },
}

function count(pattern: RegExp, text: string): number {
  return text.match(pattern)?.length ?? 0
}
