import { gzipSync } from 'node:zlib'
import t from 'tap'
import { approval } from '../../operators/control/approval.ts'
import { humanReview } from '../../operators/data/human-review.ts'
import { sampleBytes } from '../../operators/data/review-sample.ts'
import type { Answer, Json, JsonObject, Operator, Outcome, Question } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const at = Date.parse('2026-05-01T12:00:00Z')
const answer = (decision: Answer['decision'], values: JsonObject = {}): JsonObject => ({
  answer: { decision, values, by: 'ada', at },
})

/** Asks, and wakes the operator with an answer beside what it carried, as the engine does. */
async function answered(
  operator: Operator,
  input: JsonObject,
  given: JsonObject,
  dir: string,
): Promise<Outcome> {
  const { outcome } = await runOperator(operator, input, { dir })
  if (outcome.type !== 'sleep') return outcome
  const state = { ...(outcome.state as JsonObject), ...given }
  return (await runOperator(operator, input, { dir, state, attempt: 2 })).outcome
}

const questionOf = (outcome: Outcome): Question => {
  if (outcome.type !== 'sleep' || outcome.on?.person === undefined) throw new Error(JSON.stringify(outcome))
  return outcome.on.person
}

t.test('Approval asks a person, and waits without a time', async (t) => {
  const form = { properties: { note: { type: 'string', default: 'none' } }, required: ['note'] }
  const input = { message: 'Release it?', details: { accuracy: 0.9 }, form }
  const { outcome } = await runOperator(approval, input, { dir: t.testdir() })
  t.match(outcome, { type: 'sleep', until: null })
  t.strictSame(questionOf(outcome), {
    kind: 'approval',
    message: 'Release it?',
    form: { type: 'object', ...form },
    details: { accuracy: 0.9 },
  })
  const woken = await runOperator(approval, input, { dir: t.testdir(), state: {} })
  t.strictSame(woken.outcome, outcome, 'woken without an answer it asks the same again')
})

t.test('Approval succeeds with what was entered, and by whom', async (t) => {
  const form = { properties: { percent: { type: 'integer', default: 10 } } }
  const outcome = await answered(approval, { message: 'Go?', form }, answer('approve'), t.testdir())
  t.strictSame(outcome, {
    type: 'succeeded',
    outputs: { approved: true, values: { percent: 10 }, by: 'ada', at: '2026-05-01T12:00:00.000Z' },
  })
})

t.test('a rejection fails the task with its reason, or skips it', async (t) => {
  const dir = t.testdir()
  const no = answer('reject', { reason: 'the numbers are old' })
  t.strictSame(await answered(approval, { message: 'Go?' }, no, dir), {
    type: 'failed',
    kind: 'user',
    message: 'rejected by ada: the numbers are old',
  })
  t.strictSame(await answered(approval, { message: 'Go?', onReject: 'skip' }, answer('reject'), dir), {
    type: 'skipped',
    reason: 'rejected by ada: no reason was given',
  })
})

t.test('an answer that does not fit the form is asked for again, and told why', async (t) => {
  const form = { properties: { percent: { type: 'integer' } }, required: ['percent'] }
  const outcome = await answered(
    approval,
    { message: 'Go?', form },
    answer('approve', { percent: 'all' }),
    t.testdir(),
  )
  t.match(
    questionOf(outcome).message,
    /The answer of ada does not fit the form: \/percent must be integer\.\nGo\?/,
  )
})

t.test('Approval refuses a form that is none', async (t) => {
  for (const input of [
    { message: 'x', form: { type: 'array' } },
    { message: 'x', form: { properties: { a: { type: 'text' } } } },
    { message: '' },
    {},
    { message: 'x', onReject: 'continue' },
  ] as JsonObject[])
    t.match(
      (await runOperator(approval, input, { dir: t.testdir() })).outcome,
      { type: 'failed', kind: 'invalid_input' },
      JSON.stringify(input),
    )
})

const lines = (count: number, text: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => `${JSON.stringify({ n, text: text(n) })}\n`).join('')

interface Details {
  readonly records: number
  readonly shown: number
  readonly sample: readonly { readonly n: number; readonly text: string }[]
}

t.test(
  'HumanReview shows an even sample of a file, the same each time, and another by another seed',
  async (t) => {
    const dir = t.testdir({
      'docs.jsonl': lines(1000, (n) => `text ${n}`),
      'z.jsonl.gz': gzipSync(lines(3, String)),
    })
    const shown = async (input: JsonObject) => {
      const { outcome } = await runOperator(humanReview, input, { dir })
      return questionOf(outcome).details as unknown as Details
    }
    const details = await shown({ input: 'docs.jsonl', sample: 20 })
    t.match(details, { records: 1000, shown: 20, sample: { length: 20 } })
    const numbers = details.sample.map(({ n }) => n)
    t.strictSame(
      numbers,
      numbers.toSorted((a, b) => a - b),
    )
    t.ok(Math.min(...numbers) < 300 && Math.max(...numbers) > 700, String(numbers))
    t.strictSame(await shown({ input: 'docs.jsonl', sample: 20 }), details)
    t.notSame(await shown({ input: 'docs.jsonl', sample: 20, seed: 1 }), details)
    t.match(await shown({ input: 'z.jsonl.gz' }), { records: 3, shown: 3 })
  },
)

t.test('what HumanReview shows stays small, but no record vanishes, whatever the records are', async (t) => {
  const dir = t.testdir({
    long: { 'a.jsonl': lines(300, () => 'ü'.repeat(20_000)) },
    wide: {
      'a.jsonl': `${JSON.stringify(Object.fromEntries(Array.from({ length: 9000 }, (_, n) => [`k${n}`, '"\u0001'])))}\n`,
    },
    broken: { 'a.jsonl': `{"a":\u0001${'x'.repeat(100_000)}\n{"n":1}\n` },
  })
  const sizeOf = (value: unknown) => Buffer.byteLength(JSON.stringify(value))
  for (const [input, count] of [
    ['long', 200],
    ['wide', 1],
    ['broken', 2],
  ] as const) {
    const { outcome } = await runOperator(humanReview, { input, sample: 200 }, { dir })
    const details = questionOf(outcome).details as unknown as Details
    const size = sizeOf(details)
    t.ok(size <= sampleBytes + 4096 && size <= 64 * 1024, `${input}: ${size} bytes`)
    t.match(details, { shown: count, sample: { length: count } })
    const first = sizeOf(details.sample[0])
    t.ok(first > sampleBytes / count / 8, `${input}: the first has ${first} bytes, an eighth of its part`)
    if (input === 'broken') t.strictSame(details.sample[1], { n: 1 }, 'what is small stands whole')
  }
})

t.test(
  'HumanReview gives the verdict and counts; a rejection stops, or goes on where it is told to',
  async (t) => {
    const dir = t.testdir({ 'a.jsonl': lines(5, String) })
    const review = (given: JsonObject, more: JsonObject = {}) =>
      answered(humanReview, { input: 'a.jsonl', sample: 2, ...more }, given, dir)
    t.strictSame(await review(answer('approve', { verdict: 'accept', notes: 'fine' })), {
      type: 'succeeded',
      outputs: {
        verdict: 'accept',
        records: 5,
        shown: 2,
        values: { verdict: 'accept', notes: 'fine' },
        by: 'ada',
        at: '2026-05-01T12:00:00.000Z',
      },
    })
    const no = answer('approve', { verdict: 'reject', notes: 'names are in it' })
    t.match(await review(no), { type: 'failed', kind: 'user', message: 'rejected by ada: names are in it' })
    t.match(await review(no, { onReject: 'continue' }), {
      type: 'succeeded',
      outputs: { verdict: 'reject', records: 5 },
    })
    t.match(await review(answer('reject')), { type: 'failed', kind: 'user' })
    t.match(
      questionOf(await review(answer('approve', { verdict: 'maybe' }))).message,
      /does not fit the form/,
    )
  },
)

t.test('HumanReview refuses what it cannot show', async (t) => {
  const dir = t.testdir({ 'empty.jsonl': '' })
  for (const input of [
    { input: 'absent.jsonl' },
    { input: 'empty.jsonl' },
    {},
    { input: 'empty.jsonl', sample: 0 },
  ] as {
    [name: string]: Json
  }[])
    t.match((await runOperator(humanReview, input, { dir })).outcome, {
      type: 'failed',
      kind: 'invalid_input',
    })
})
