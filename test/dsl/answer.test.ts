import t from 'tap'
import { checkAnswer } from '../../dsl/answer.ts'

const form = {
  type: 'object',
  properties: {
    percent: { type: 'integer', minimum: 1, maximum: 100 },
    verdict: { enum: ['good', 'bad'] },
    note: { type: 'string', default: '' },
    tags: { type: 'array', items: { type: 'string' } },
  },
  required: ['percent', 'verdict'],
  additionalProperties: false,
} as const

const check = (words: Record<string, string>, values = {}, complete = true) =>
  checkAnswer(form, { words: Object.entries(words), values, complete })

t.test('words are read by the type of their field; defaults stand in for the rest', async (t) => {
  t.strictSame(check({ percent: '10', verdict: 'good', note: '12', tags: '["a"]' }), {
    values: { note: '12', percent: 10, verdict: 'good', tags: ['a'] },
    problems: [],
  })
  t.strictSame(check({ percent: '20' }, { percent: 1, verdict: 'bad' }).values, {
    note: '',
    percent: 20,
    verdict: 'bad',
  })
})

t.test('all that is wrong is told at once', async (t) => {
  const { problems } = check({ percent: 'ten', verdct: 'good', tags: '[1]' })
  t.strictSame(
    problems.map(({ message }) => message).sort(),
    [
      '`percent` must be an integer, not a string',
      '`tags.0` must be a string, not an integer',
      'unknown key `verdct`',
      '`verdict` is missing',
    ].sort(),
  )
  t.ok(problems.some(({ hint }) => hint === 'did you mean `verdict`?'))
  t.match(check({ percent: '99999999999999999999', verdict: 'good' }).problems, [
    { message: '`percent` holds `99999999999999999999`, a number too large to keep' },
    {},
  ])
})

t.test(
  'what the form has no field for is refused, unless the form says that there may be more',
  async (t) => {
    const { additionalProperties: _, ...open } = form
    const given = { words: [['noet', 'x'] as const], values: {}, complete: false }
    t.strictSame(checkAnswer(open, given).problems, [
      { message: 'the form has no field `noet`', hint: 'did you mean `note`?' },
    ])
    t.strictSame(checkAnswer({ type: 'object' }, given).problems, [
      { message: 'the form has no field `noet`', hint: 'it asks for nothing' },
    ])
    t.strictSame(check({ noet: 'x' }, {}, false).problems.length, 1, 'once where the validator says so')
    for (const more of [
      { additionalProperties: true },
      { additionalProperties: { type: 'string' } },
      { patternProperties: { '^no': { type: 'string' } } },
      { allOf: [{ properties: { noet: { type: 'string' } } }] },
    ])
      t.strictSame(checkAnswer({ ...open, ...more }, given), { values: { noet: 'x' }, problems: [] })
  },
)

t.test('a rejection need not fill in the form, but what it says must fit', async (t) => {
  t.strictSame(check({}, {}, false), { values: {}, problems: [] })
  t.match(check({ percent: '0' }, {}, false).problems, [{ message: /at least 1/ }])
})

t.test('a form that is no schema is said to be none', async (t) => {
  const { problems } = checkAnswer({ type: 'strng' }, { words: [], values: {}, complete: true })
  t.match(problems, [{ message: /^the form is no JSON Schema/ }])
})
