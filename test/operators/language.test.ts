import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { languageCode, languageFilter } from '../../operators/data/language-filter.ts'
import { loadDetector } from '../../operators/data/language-filter-detect.ts'
import { casesFolder } from '../support/cases.ts'
import { runOperator } from '../support/task-context.ts'

const detector = await loadDetector()

/** Thirty languages with many readers, as the cases name them (ISO 639-3). */
const common =
  'cmn eng arb hin ind fra kor vie ita tur guj ukr pes ron hrv srp tha yor zlm hun azj ces bul fin dan heb lao slv lvs ekk'.split(
    ' ',
  )

function samples(folder: string): { code: string; characters: string[] }[] {
  return readFileSync(join(folder, 'udhr-langid.jsonl'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { iso6393: string; text: string })
    .filter(({ iso6393 }) => common.includes(iso6393))
    .map(({ iso6393, text }) => ({ code: languageCode(iso6393) as string, characters: [...text] }))
}

/** How many of the windows at an offset are named right, and how many there are. */
function score(texts: ReturnType<typeof samples>, from: number, length: number) {
  const long = texts.filter(({ characters }) => characters.length >= from + length)
  const right = long.filter(({ code, characters }) => {
    return detector.detect(characters.slice(from, from + length).join('')).language === code
  })
  return { right: right.length, of: long.length }
}

t.test(
  'of thirty common languages at 50 characters at most two are wrong, wherever the text is cut',
  async (t) => {
    const folder = casesFolder(t, 'text')
    if (folder === null) return
    const texts = samples(folder)
    t.equal(texts.length, 30)
    const first = score(texts, 0, 50)
    t.ok(first.right >= 29, `${first.right} of 30 at the start`)
    for (let from = 25; from + 50 <= 950; from += 75) {
      const { right, of } = score(texts, from, 50)
      t.ok(right >= of - 2, `${right} of ${of} at character ${from}`)
    }
    const long = score(texts, 100, 350)
    t.ok(long.right >= long.of - 1, `${long.right} of ${long.of} at 350 characters`)
  },
)

t.test('the published filter cases are told apart', async (t) => {
  const folder = casesFolder(t, 'text')
  if (folder === null) return
  const { cases } = JSON.parse(readFileSync(join(folder, 'quality-filters.json'), 'utf8')) as {
    cases: { filter: string; text: string; expect: string }[]
  }
  const language = cases.filter(({ filter }) => filter === 'language')
  t.ok(language.length >= 4)
  for (const { text, expect } of language) {
    t.match(detector.detect(text), { language: expect, reliable: true }, text.slice(0, 40))
  }
})

t.test('a script that one language owns names it, however short the text', async (t) => {
  const texts: { readonly [language: string]: string } = {
    ja: 'すべての人間は',
    ko: '모든 사람은',
    th: 'มนุษย์',
    km: 'មនុស្ស',
    my: 'လူတိုင်း',
    si: 'සියලු',
    bo: 'འགྲོ་བ',
    ka: 'ყველა',
    hy: 'Բոլոր',
    el: 'Όλοι οι άνθρωποι',
    ta: 'மனிதர்',
    te: 'మానవులు',
    zh: '人人生而自由',
  }
  for (const [language, text] of Object.entries(texts)) {
    t.match(detector.detect(text), { language, reliable: true }, text)
  }
  t.equal(detector.detect('The word 人 is Chinese, and stands in an English sentence.').language, 'en')
  t.equal(detector.detect('日本の「東京」').language, 'ja')
})

t.test('close relatives are told by their words', async (t) => {
  t.equal(detector.detect('Kami percaya bahwa anak-anak tidak datang karena hujan').language, 'id')
  t.equal(detector.detect('Kami percaya bahawa kanak-kanak tidak datang kerana hujan').language, 'ms')
  t.equal(detector.detect('यह लड़का स्कूल में पढ़ता है और उसके पिता किसान हैं').language, 'hi')
  t.equal(detector.detect('हा मुलगा शाळेत शिकतो आणि त्याचे वडील शेतकरी आहेत').language, 'mr')
  t.equal(detector.detect('यो केटा स्कूलमा पढ्छ र उसको बुबा किसान हुनुहुन्छ').language, 'ne')
})

t.test('what carries no language is said to be undetermined', async (t) => {
  for (const text of ['', ' ', '12345 67', '{"a":1}', '!!! ...', '😀😀😀', 'ok', '\ud800']) {
    t.match(detector.detect(text), { language: null, reliable: false }, JSON.stringify(text))
  }
  const swahili =
    'Kwa kuwa kukiri heshima ya asili na haki sawa kwa binadamu wote ndio msingi wa uhuru, haki na amani duniani'
  t.equal(detector.detect(swahili).reliable, false, 'a language that the model does not know')
})

t.test('a long text is judged from its start to its end', async (t) => {
  const english = 'The house stood at the end of a narrow road, and nobody had lived in it for years. '
  const french =
    "La maison se trouvait au bout d'un chemin étroit, et personne n'y vivait depuis des années. "
  t.equal(detector.detect(english.repeat(4) + french.repeat(60)).language, 'fr')
  t.match(detector.detect(english.repeat(200)), { language: 'en', reliable: true })
})

t.test('any string has an answer, and always the same', async () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary', maxLength: 2000 }), fc.lorem({ maxCount: 200 })),
      (text) => {
        const { language, score, reliable } = detector.detect(text)
        const same = detector.detect(text)
        return (
          score >= 0 &&
          score <= 1 &&
          (language !== null || !reliable) &&
          same.language === language &&
          same.score === score
        )
      },
    ),
    { numRuns: 50 },
  )
})

t.test('codes of ISO 639-1, 639-2 and 639-3 mean the same language', async (t) => {
  const codes = {
    eng: 'en',
    'en-GB': 'en',
    cmn: 'zh',
    zho: 'zh',
    arb: 'ar',
    pes: 'fa',
    prs: 'fa',
    zlm: 'ms',
    nb: 'no',
    tl: 'tl',
    fil: 'tl',
    iw: 'he',
  }
  for (const [code, language] of Object.entries(codes)) t.equal(languageCode(code), language, code)
  t.equal(languageCode('not a code'), null)
  for (const language of detector.languages) t.equal(languageCode(language), language)
})

const english = {
  id: 1,
  text: 'The road to the village was closed for the winter, and the letters came by boat.',
}
const french = {
  id: 2,
  text: "La route du village était fermée pendant l'hiver, et les lettres venaient par bateau.",
}
const lines = (...records: object[]) => records.map((record) => `${JSON.stringify(record)}\n`).join('')

t.test('the operator keeps the wanted languages and sets the unsure ones aside', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': lines(english, french, { id: 3, text: 'ok' }, { id: 4 }) } })
  const { outcome } = await runOperator(languageFilter, { input: 'in', output: 'out' }, { dir })
  t.match(outcome, {
    type: 'succeeded',
    outputs: {
      recordsIn: 4,
      records: 1,
      rejected: 2,
      reviewed: 1,
      reasons: { other_language: 1, undetermined: 1, no_text: 1 },
      languages: { en: 1, fr: 1 },
    },
  })
  t.equal(readFileSync(join(dir, 'out', 'part-00000.jsonl'), 'utf8'), lines(english))
  const rejected = readFileSync(join(dir, 'out', 'rejected', 'part-00000.jsonl'), 'utf8').split('\n')
  t.match(JSON.parse(rejected[0] ?? ''), { reason: 'other_language', detail: 'fr', record: french })
})

t.test('unsure texts go where the options say', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': lines(english, { text: 'ok' }) } })
  const kept = await runOperator(languageFilter, { input: 'in', undetermined: 'keep' }, { dir })
  t.match(kept.outcome, { outputs: { records: 2, rejected: 0, reviewed: 0 } })
  t.strictSame(kept.outcome.type === 'succeeded' && kept.outcome.outputs.reasons, {})
  const rejected = await runOperator(languageFilter, { input: 'in', undetermined: 'reject' }, { dir })
  t.match(rejected.outcome, { outputs: { records: 1, rejected: 1, reviewed: 0 } })
  const strict = await runOperator(languageFilter, { input: 'in', minScore: 0.99 }, { dir })
  t.match(strict.outcome, { outputs: { records: 0, reviewed: 2 } })
})

t.test('a language that cannot be told is refused by name', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': lines(english) } })
  for (const code of ['sw', 'english', '??']) {
    const { outcome } = await runOperator(languageFilter, { input: 'in', languages: ['en', code] }, { dir })
    t.match(outcome, { type: 'failed', kind: 'invalid_input' }, code)
    t.ok(outcome.type === 'failed' && outcome.message.includes(`\`${code}\``))
  }
})
