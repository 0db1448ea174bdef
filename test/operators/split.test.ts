import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { split } from '../../operators/data/split.ts'
import { EvaluationRuns } from '../../operators/data/split-contamination.ts'
import { Stratum, wholeShares } from '../../operators/data/split-shares.ts'
import type { JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

type Part = {
  readonly dataset: string
  readonly records: number
  readonly shards: { readonly uri: string }[]
}
type Outputs = JsonObject & { readonly train: Part; readonly validation: Part; readonly test: Part }

const names = ['train', 'validation', 'test'] as const

async function divide(dir: string, input: JsonObject): Promise<Outputs> {
  const { outcome } = await runOperator(split, { input: 'in', ...input }, { dir })
  t.match(outcome, { type: 'succeeded' })
  return (outcome as unknown as { outputs: Outputs }).outputs
}

function recordsOf({ shards }: Part): JsonObject[] {
  return shards.flatMap(({ uri }) =>
    readFileSync(uri, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  )
}

function jsonl(records: readonly JsonObject[]): string {
  return records.map((record) => `${JSON.stringify(record)}\n`).join('')
}

function numbered(count: number): JsonObject[] {
  return Array.from({ length: count }, (_, n) => ({
    n,
    group: n % 10,
    kind: n % 100 === 0 ? 'rare' : 'usual',
    text: `text ${n}`,
  }))
}

t.test('every record is in exactly one part, in about the wanted shares', async (t) => {
  const all = numbered(4000)
  const outputs = await divide(t.testdir({ in: { 'a.jsonl': jsonl(all) } }), {
    ratios: { train: 0.8, validation: 0.15, test: 0.05 },
  })
  const found = names.flatMap((name) => recordsOf(outputs[name]))
  t.strictSame(
    found.map(({ n }) => Number(n)).sort((a, b) => a - b),
    all.map(({ n }) => n),
  )
  // Three standard deviations of a binomial of 4,000 are below 80.
  for (const [name, expected] of [
    ['train', 3200],
    ['validation', 600],
    ['test', 200],
  ] as const) {
    t.ok(Math.abs(outputs[name].records - expected) < 80, `${name}: ${outputs[name].records}`)
  }
  t.match(outputs, { recordsIn: 4000, records: 4000, rejected: 0, contaminated: 0 })
})

t.test('a record stays where it is when others come and go, and moves with the seed', async (t) => {
  const place = async (records: JsonObject[], seed = '') => {
    const outputs = await divide(t.testdir({ in: { 'a.jsonl': jsonl(records) } }), { seed })
    return new Map(names.flatMap((name) => recordsOf(outputs[name]).map(({ n }) => [n, name] as const)))
  }
  const all = await place(numbered(1000))
  const some = await place(
    numbered(1000)
      .filter(({ n }) => Number(n) % 3 === 0)
      .reverse(),
  )
  for (const [n, name] of some) if (all.get(n) !== name) t.fail(`record ${n} moved`)
  const other = await place(numbered(1000), 'another')
  t.not([...other].filter(([n, name]) => all.get(n) !== name).length, 0)
})

t.test('records with the same key stay together, records without one are rejected', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': `${jsonl(numbered(500))}{"text":"no group"}\n` } })
  const outputs = await divide(dir, { key: 'group', ratios: { train: 0.4, validation: 0.3, test: 0.3 } })
  const groups = names.map((name) => new Set(recordsOf(outputs[name]).map(({ group }) => group)))
  t.equal(
    groups.reduce((sum, { size }) => sum + size, 0),
    10,
  )
  t.match(outputs, { rejected: 1, reasons: { no_key: 1 } })
})

t.test('with stratify each value of the field has its shares exactly', async (t) => {
  const dir = t.testdir({ in: { 'a.jsonl': jsonl(numbered(2000)) } })
  const outputs = await divide(dir, { stratify: 'kind', ratios: { train: 0.8, validation: 0.1, test: 0.1 } })
  const rare = names.map((name) => recordsOf(outputs[name]).filter(({ kind }) => kind === 'rare').length)
  t.strictSame(rare, [16, 2, 2])
  t.strictSame(
    names.map((name) => outputs[name].records),
    [1600, 200, 200],
  )
})

t.test('a large stratum is divided by counted hashes, off by no more than one bucket', (t) => {
  const stratum = new Stratum()
  const hashes = Array.from({ length: 50_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0)
  for (const hash of hashes) stratum.add(hash)
  const counts = [0, 0, 0]
  for (const hash of hashes) {
    const part = stratum.part(hash, [0.9, 0.06, 0.04])
    counts[part] = (counts[part] as number) + 1
  }
  for (const [part, wanted] of [45_000, 3000, 2000].entries())
    t.ok(Math.abs((counts[part] as number) - wanted) <= 3, String(counts))
  t.end()
})

t.test('whole shares add up and are off by less than one', (t) => {
  fc.assert(
    fc.property(
      fc.nat(100_000),
      fc.integer({ min: 0, max: 100 }),
      fc.integer({ min: 0, max: 100 }),
      (total, a, b) => {
        const shares = [Math.min(a, b), Math.abs(a - b), 100 - Math.max(a, b)].map((part) => part / 100)
        const whole = wholeShares(total, shares)
        return (
          whole.reduce((x, y) => x + y, 0) === total &&
          whole.every((n, i) => Math.abs(n - total * (shares[i] as number)) < 1)
        )
      },
    ),
  )
  t.end()
})

const question =
  'Which river did the surveyors of the second expedition cross before they reached the old northern fort?'
const short = 'Name the eight planets of our solar system'

t.test('training text that shares 13 words in a row with an evaluation text is set aside', async (t) => {
  const words = question.split(' ')
  const records = [
    { n: 1, text: `They asked: ${question.toUpperCase().replace('RIVER', 'RIVER,')} Nobody knew.` },
    { n: 2, text: `Before. ${words.slice(0, 13).join(' ')} and then something else` },
    { n: 3, text: `Before. ${words.slice(0, 12).join(' ')} and then something else` },
    { n: 4, text: `please name the eight planets of our solar system now` },
    { n: 5, text: 'the eight planets of our solar system' },
  ]
  const dir = t.testdir({
    in: { 'a.jsonl': jsonl(records) },
    eval: { 'a.jsonl': jsonl([{ question }, { question: short, answer: 'Mercury and seven more' }]) },
  })
  const input = {
    ratios: { train: 1, validation: 0, test: 0 },
    evaluation: { input: 'eval', fields: ['question', 'answer'] },
  }
  const outputs = await divide(dir, input)
  t.match(outputs, {
    contaminated: 3,
    evaluationTexts: 2,
    evaluationTooShort: 1,
    reasons: { contaminated: 3 },
  })
  t.strictSame(
    recordsOf(outputs.train).map(({ n }) => n),
    [3, 5],
  )
  const kept = await divide(dir, { ...input, contaminated: 'keep' })
  t.match(kept, { contaminated: 3, rejected: 0, train: { records: 5 } })
  const reviewed = await divide(dir, { ...input, contaminated: 'review' })
  t.match(reviewed, { contaminated: 3, reviewed: 3, train: { records: 2 } })
})

t.test('the rolling search finds what a plain search over words finds', (t) => {
  const word = fc.constantFrom('a', 'b', 'c')
  const texts = fc.array(fc.array(word, { maxLength: 40 }), { minLength: 1, maxLength: 3 })
  fc.assert(
    fc.property(texts, fc.array(word, { maxLength: 60 }), (evaluation, text) => {
      const runs = new EvaluationRuns(10)
      for (const words of evaluation) runs.add(words.join(' '))
      const wanted = evaluation
        .filter((words) => words.length >= 8)
        .flatMap((words) => {
          const length = Math.min(10, words.length)
          return Array.from({ length: words.length - length + 1 }, (_, i) =>
            words.slice(i, i + length).join(' '),
          )
        })
      const at = text.findIndex((_, i) =>
        wanted.some((run) => `${text.slice(i).join(' ')} `.startsWith(`${run} `)),
      )
      return runs.find(text.join(', ')) === at
    }),
    { numRuns: 300 },
  )
  t.end()
})

t.test('bad input is refused before anything is written', async (t) => {
  const dir = t.testdir({
    in: { 'a.jsonl': '{"body":"x"}' },
    eval: { 'a.jsonl': '{"body":"x"}', 'b.jsonl': '{' },
  })
  const cases: [JsonObject, RegExp][] = [
    [{ ratios: { train: 0.5, validation: 0.1, test: 0.1 } }, /add up to 0\.7/],
    [{ ratios: { train: 1 } }, /validation/],
    [{}, /`text`/],
    [{ field: 'body', ngram: 3 }, /ngram/],
    [{ field: 'body', evaluation: { input: 'eval/a.jsonl' } }, /a\.jsonl, line 1: none of the fields text/],
    [{ field: 'body', evaluation: { input: 'eval/b.jsonl' } }, /malformed_json/],
    [{ field: 'body', evaluation: { input: 'none' } }, /matches no file/],
  ]
  for (const [input, message] of cases) {
    const { outcome } = await runOperator(split, { input: 'in', output: 'out', ...input }, { dir })
    t.match(outcome, { type: 'failed', kind: 'invalid_input', message })
  }
  t.throws(() => readFileSync(join(dir, 'out/manifest.json')), { code: 'ENOENT' })
})
