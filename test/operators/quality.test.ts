import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { judgeBy, type Limits, type RuleSet } from '../../operators/data/quality/rules.ts'
import { qualityFilter } from '../../operators/data/quality-filter.ts'
import { Grams } from '../../operators/data/text/grams.ts'
import { countSentences } from '../../operators/data/text/sentences.ts'
import { hasLetter, isWord, linesOf, paragraphsOf, tokensOf } from '../../operators/data/text/words.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { casesFolder } from '../support/cases.ts'
import { runOperator } from '../support/task-context.ts'

/** The rule set of a case of the shared folder, and the name of its thresholds. */
const sets: { readonly [filter: string]: readonly [RuleSet, keyof Limits] } = {
  gopher_quality: ['gopher_quality', 'gopherQuality'],
  gopher_repetition: ['gopher_repetition', 'gopherRepetition'],
  c4_quality: ['c4', 'c4'],
  fineweb_quality: ['fineweb', 'fineweb'],
}

const camel = (params: object) =>
  Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  )

const good = `The Congress shall have power to lay and collect taxes, and to provide for the common defence. ${'Each of the members of that house was asked about roads, rivers and schools of the several states. '}\
Nobody could say with certainty what the winter would bring to the farms along the coast. \
A letter came in March, and the harbour opened again. Ships which had waited for months left within a week, \
and with them the grain that the towns in the south needed most. It would be a good year after all.`

t.test('texts are dropped for the reason that the published filters give', async (t) => {
  const folder = casesFolder(t, 'text')
  if (folder === null) return
  const { cases } = JSON.parse(readFileSync(join(folder, 'quality-filters.json'), 'utf8')) as {
    cases: { filter: string; params: object; text: string; expect: string }[]
  }
  for (const { filter, params, text, expect } of cases) {
    const [rule, limits] = sets[filter] ?? []
    if (rule === undefined || limits === undefined) continue
    const reason = judgeBy([rule], { [limits]: camel(params) })(text)
    const name = `${filter}: ${expect} ${text.slice(0, 40)}`
    if (expect === 'drop') t.not(reason, null, name)
    else t.equal(reason ?? 'keep', expect, name)
  }
})

t.test('each threshold moves its own rule', async (t) => {
  const all: RuleSet[] = ['gopher_quality', 'gopher_repetition', 'c4', 'fineweb']
  t.equal(judgeBy(all, { c4: { minNumSentences: 5 } })(good), null)
  const moved: readonly (readonly [Limits, string])[] = [
    [{ gopherQuality: { minDocWords: 100 } }, 'gopher_short_doc'],
    [{ gopherQuality: { maxDocWords: 60 } }, 'gopher_long_doc'],
    [{ gopherQuality: { minAvgWordLength: 6 } }, 'gopher_below_avg_threshold'],
    [{ gopherQuality: { maxAvgWordLength: 4 } }, 'gopher_above_avg_threshold'],
    [{ gopherQuality: { minAlphaWordsRatio: 0.95 } }, 'gopher_below_alpha_threshold'],
    [{ gopherQuality: { minStopWords: 9 } }, 'gopher_enough_stop_words'],
    [{ gopherQuality: { stopWords: ['der', 'und'] } }, 'gopher_enough_stop_words'],
    [{ gopherRepetition: { topNGrams: [[2, 0.02]] } }, 'top_2_gram'],
    [{ c4: { minNumSentences: 9 } }, 'too_few_sentences'],
    [{ c4: { minWordsPerLine: 500 } }, 'too_few_sentences'],
    [{ c4: { endPunctuation: ['!'] } }, 'too_few_sentences'],
    [{ fineweb: { linePunctThr: 1.1 } }, 'line_punct_ratio'],
    [{ fineweb: { shortLineLength: 10_000 } }, 'short_line_ratio'],
  ]
  for (const [limits, reason] of moved) t.equal(judgeBy(all, limits)(good), reason, JSON.stringify(limits))
})

t.test('C4 counts sentences in lines that would stay, and looks into no others', async (t) => {
  const judge = judgeBy(['c4'])
  const line = 'This line is a sentence of the page.'
  t.equal(judge(Array(5).fill(line).join('\n')), null)
  t.equal(
    judge([...Array(4).fill(line), 'Enable JavaScript to see this page.'].join('\n')),
    'too_few_sentences',
  )
  t.equal(
    judge([...Array(4).fill(line), 'By this you accept our privacy policy.'].join('\n')),
    'too_few_sentences',
  )
  t.equal(judge([...Array(4).fill(line), 'Home | News | { }'].join('\n')), 'too_few_sentences')
  t.equal(judge([...Array(4).fill(line), 'This line is cut off...'].join('\n')), 'too_few_sentences')
  t.equal(
    judge([...Array(4).fill(line), `A word is too long here ${'x'.repeat(1001)}.`].join('\n')),
    'too_few_sentences',
  )
  t.equal(judge([...Array(4).fill(line), 'A cited sentence ends so.[12]'].join('\n')), null)
})

t.test('a bullet list, cut-off lines and a text without words are what they are', async (t) => {
  const judge = judgeBy(['gopher_quality'], { gopherQuality: { minDocWords: 0, minStopWords: 0 } })
  t.equal(judge('- one apple here\n• two pears there\n - three plums'), 'gopher_too_many_bullets')
  const rest =
    'some plain words to come before the end of the line and some more of the same kind to thin it out'
  t.equal(judge(`${rest}...\n${rest}…\n${rest}`), 'gopher_too_many_end_ellipsis')
  t.equal(judgeBy(['gopher_quality'])(''), 'gopher_short_doc')
  t.equal(judgeBy(['gopher_repetition'])(''), null)
  t.equal(judgeBy(['c4'])(''), 'too_few_sentences')
  t.equal(judgeBy(['fineweb'])(' \n '), 'empty')
})

t.test(
  'words keep apostrophes and numbers together; other marks stand alone; unspaced scripts go by character',
  async (t) => {
    t.strictSame(tokensOf("Don't pay 3,000.50 -- said U.S. well-known #1..."), [
      "Don't",
      'pay',
      '3,000.50',
      '--',
      'said',
      'U.S',
      '.',
      'well-known',
      '#',
      '1',
      '...',
    ])
    t.strictSame(tokensOf('人权 über 人, नमस्ते दुनिया'), ['人', '权', 'über', '人', ',', 'नमस्ते', 'दुनिया'])
    t.strictSame(tokensOf(''), [])
    t.ok(isWord('a1') && isWord('é') && !isWord('...') && !isWord('“'))
    t.ok(hasLetter('1a') && hasLetter('é') && !hasLetter('12'))
    t.strictSame(linesOf('a\r\nb\n\nc\n'), ['a', 'b', '', 'c'])
    t.strictSame(paragraphsOf('\na\nb\n \n\nc\r\n\r\nd\n'), ['a\nb', 'c', 'd'])
  },
)

t.test('tokens are all of the text but its spaces, whichever way is taken', async () => {
  const mixed = fc.array(
    fc.constantFrom(
      'a',
      'É',
      'ß',
      '1',
      '_',
      ' ',
      '\n',
      "'",
      '’',
      '.',
      '.',
      ',',
      '-',
      '#',
      '“',
      'я',
      '中',
      'ก',
      '😀',
      'e\u0301',
    ),
  )
  fc.assert(
    fc.property(mixed, (parts) => {
      const text = parts.join('')
      return tokensOf(text).join('') === text.replace(/\s/g, '')
    }),
  )
  const latin = fc.array(
    fc.constantFrom('a', 'É', 'ß', '1', '_', ' ', "'", '’', '.', ',', '-', '#', '“', '…'),
  )
  fc.assert(
    fc.property(latin, (parts) => {
      const text = parts.join('')
      // A Cyrillic word at the end sends the same text the slower way.
      return tokensOf(`${text} я`).slice(0, -1).join('|') === tokensOf(text).join('|')
    }),
  )
})

t.test('sentences end at marks, not at abbreviations, initials or decimals', async (t) => {
  const counts: readonly (readonly [string, number])[] = [
    ['Mr. Smith paid 3.50 dollars. He left.', 2],
    ['J. F. Kennedy spoke! Was it long? "No." He sat down.', 4],
    ['No mark at the end', 1],
    ['One. Two', 2],
    ['It was so... and then it was not.', 1],
    ['她来了。他走了！', 2],
    ['यह एक वाक्य है। यह दूसरा है।', 2],
    ['', 0],
    ['...', 0],
  ]
  for (const [text, count] of counts) t.equal(countSentences(text), count, text)
})

/** The definitions, by strings and without haste. */
function slowGrams(words: readonly string[], n: number) {
  const at = (i: number) => words.slice(i, i + n)
  const all = Array.from({ length: Math.max(0, words.length - n + 1) }, (_, i) => at(i).join(' '))
  const times = (gram: string) => all.filter((other) => other === gram).length
  const most = Math.max(0, ...all.map(times))
  const top = all.find((gram) => times(gram) === most)
  const seen = new Set<string>()
  let repeated = 0
  for (let i = 0; i < all.length; ) {
    if (seen.has(all[i] as string)) {
      repeated += at(i).join('').length
      i += n
    } else seen.add(all[i++] as string)
  }
  return { top: top === undefined ? 0 : top.length * most, repeated }
}

t.test('n-grams by number are n-grams by text', async () => {
  const words = fc.array(fc.constantFrom('a', 'bb', 'ccc', 'dd'), { maxLength: 60 })
  fc.assert(
    fc.property(words, (list) => {
      const grams = new Grams(list)
      for (const n of [1, 2, 3, 5]) {
        grams.grow(n)
        const { top, repeated } = slowGrams(list, n)
        if (grams.topCharacters() !== top || grams.repeatedCharacters() !== repeated) return false
      }
      return true
    }),
  )
})

t.test('the operator keeps good records byte for byte, and says why others go', async (t) => {
  const dir = t.testdir({})
  mkdirSync(join(dir, 'in'))
  const bad: JsonObject[] = [{ text: 'too short' }, { id: 3 }, { text: 7 }]
  const kept = `{ "id":1, "text": ${JSON.stringify(good)} }\n`
  writeFileSync(
    join(dir, 'in', 'a.jsonl'),
    kept + bad.map((record) => `${JSON.stringify(record)}\n`).join(''),
  )
  const { outcome } = await runOperator(qualityFilter, { input: 'in', output: 'out' }, { dir })
  t.match(outcome, {
    type: 'succeeded',
    outputs: { recordsIn: 4, records: 1, rejected: 3, reasons: { gopher_short_doc: 1, no_text: 2 } },
  })
  t.equal(readFileSync(join(dir, 'out', 'part-00000.jsonl'), 'utf8'), kept)
})

t.test(
  'a share of rejects over the gate, a wrong field and an unknown rule fail, each by name',
  async (t) => {
    const dir = t.testdir({ in: { 'a.jsonl': '{"text":"too short","page":{"body":"as well"}}\n' } })
    const gate = await runOperator(qualityFilter, { input: 'in', maxRejected: 0.5 }, { dir })
    t.match(gate.outcome, {
      type: 'failed',
      kind: 'gate_failed',
      message: /1 of 1 records rejected.*gopher_short_doc 1/,
    })
    const field = await runOperator(qualityFilter, { input: 'in', field: 'body' }, { dir })
    t.match(field.outcome, { kind: 'invalid_input', message: /`body`.*fields there: text, page/ })
    const nested = await runOperator(qualityFilter, { input: 'in', field: 'page.body' }, { dir })
    t.match(nested.outcome, { type: 'succeeded', outputs: { reasons: { gopher_short_doc: 1 } } })
    const rule = await runOperator(qualityFilter, { input: 'in', rules: ['gophers'] }, { dir })
    t.match(rule.outcome, { type: 'failed', kind: 'invalid_input' })
    const limit = await runOperator(qualityFilter, { input: 'in', gopherQuality: { minWords: 3 } }, { dir })
    t.match(limit.outcome, { type: 'failed', kind: 'invalid_input' })
  },
)
