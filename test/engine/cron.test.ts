import { CronExpressionParser } from 'cron-parser'
import fc from 'fast-check'
import t from 'tap'
import { parseExpression } from '../../engine/cron.ts'
import { WallTimes } from '../../engine/wall-times.ts'

t.test('each broken expression is refused with the field, the value and what is allowed', (t) => {
  const broken: { readonly [expression: string]: string } = {
    '': 'it is empty',
    '* * * *': '4 fields; expected 5 (minute hour day-of-month month day-of-week), or 6 with seconds first',
    '* * * * * * *':
      '7 fields; expected 5 (minute hour day-of-month month day-of-week), or 6 with seconds first',
    '@reboot':
      'unknown macro; known are @yearly @annually @monthly @weekly @daily @midnight @hourly @minutely @secondly @weekdays @weekends',
    '61 * * * *': 'minute `61`: allowed is 0-59',
    '0 24 * * *': 'hour `24`: allowed is 0-23',
    '0 0 0 * *': 'day of month `0`: allowed is 1-31',
    '0 0 * 13 *': 'month `13`: allowed is 1-12 or jan-dec',
    '0 0 * * 8': 'day of week `8`: allowed is 0-7 or sun-sat',
    '0 0 * * funday': 'day of week `funday`: allowed is 0-7 or sun-sat',
    '60 0 0 * * *': 'second `60`: allowed is 0-59',
    '*/0 * * * *': 'minute `*/0`: after / comes a whole number from 1',
    '*/x * * * *': 'minute `*/x`: after / comes a whole number from 1',
    '1/2/3 * * * *': 'minute `1/2/3`: more than one /',
    '0 22-5 * * *': 'hour `22-5`: the range runs backwards; write `22-23,0-5`',
    '0 1-2-3 * * *': 'hour `1-2-3`: not a range',
    '1,,2 * * * *': 'minute `1,,2`: a value is missing in the list',
    '-5 * * * *': 'minute `-5`: allowed is 0-59',
    '1.5 * * * *': 'minute `1.5`: allowed is 0-59',
    '0 0 * * L': 'day of week `L`: L needs a day before it: `5L` is the last Friday',
    '0 0 * * 1#6': 'day of week `1#6`: after # comes 1 to 5: `1#2` is the second Monday',
    '0 0 15W * *': 'day of month `15W`: allowed is 1-31',
    '0 H * * *': 'hour `H`: allowed is 0-23',
  }
  for (const [expression, why] of Object.entries(broken)) {
    t.throws(
      () => parseExpression(expression),
      { code: 'E150', kind: 'invalid', message: `invalid cron expression \`${expression}\`: ${why}` },
      expression,
    )
  }
  t.throws(() => parseExpression('1,'.repeat(2000)), { code: 'E150', message: /longer than 1024 characters/ })
  t.end()
})

t.test('macros, names, leading zeros and any spacing are understood', (t) => {
  t.match(parseExpression(' @Weekly '), { hours: [0], weekDays: [{ day: 0, which: 'every' }] })
  t.match(parseExpression('00\t03  16,30 jAn-FeB/1 mOn'), {
    hours: [3],
    months: [1, 2],
    weekDays: [{ day: 1 }],
  })
  t.match(parseExpression('0 0 * * fri#2,5L'), {
    weekDays: [
      { day: 5, which: 2 },
      { day: 5, which: 'last' },
    ],
  })
  t.end()
})

const field = (min: number, max: number) => {
  const value = fc.integer({ min, max })
  const range = fc.tuple(value, value).map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`)
  const step = fc.integer({ min: 1, max })
  return fc.oneof(
    { weight: 3, arbitrary: fc.constant('*') },
    { weight: 2, arbitrary: value.map(String) },
    range,
    step.map((by) => `*/${by}`),
    fc.tuple(range, step).map(([span, by]) => `${span}/${by}`),
    fc.tuple(value, step).map(([from, by]) => `${from}/${by}`),
    fc.uniqueArray(value, { minLength: 2, maxLength: 5 }).map((values) => values.join(',')),
  )
}

const weekDay = fc.oneof(
  { weight: 3, arbitrary: field(0, 7).filter((text) => !/\b0,.*7|7,.*0/.test(text)) },
  fc
    .tuple(fc.integer({ min: 0, max: 7 }), fc.integer({ min: 1, max: 5 }))
    .map(([day, nth]) => `${day}#${nth}`),
  fc.integer({ min: 0, max: 6 }).map((day) => `${day}L`),
)
const monthDay = fc.oneof({ weight: 5, arbitrary: field(1, 31) }, fc.constantFrom('L', '1,L', '10-12,L'))
const expression = fc
  .tuple(field(0, 59), field(0, 23), monthDay, field(1, 12), weekDay)
  .map((parts) => parts.join(' '))

t.test('in UTC any expression has the instants that cron-parser finds', (t) => {
  fc.assert(
    fc.property(expression, fc.integer({ min: 0, max: 4_000_000_000 }), (text, seconds) => {
      const from = seconds * 1000
      const theirs = instantsOfCronParser(text, from)
      fc.pre(theirs !== null)
      const walls = new WallTimes(parseExpression(text))
      const ours: number[] = []
      for (let at = walls.next(from + 1000); at !== null && ours.length < 4; at = walls.next(at + 1000))
        ours.push(at)
      const back: number[] = []
      const last = ours.at(-1) ?? 0
      for (let at = walls.previous(last); at !== null && back.length < 4; at = walls.previous(at - 1000))
        back.unshift(at)
      return (
        JSON.stringify(ours) === JSON.stringify(theirs) && JSON.stringify(back) === JSON.stringify(theirs)
      )
    }),
    { numRuns: 1000 },
  )
  t.pass('1,000 random expressions, four instants each, forwards and backwards')
  t.end()
})

/** Its next four instants; null where it refuses what can never fire, or gives up on what fires too rarely. */
function instantsOfCronParser(text: string, from: number): number[] | null {
  try {
    const parsed = CronExpressionParser.parse(text, { currentDate: new Date(from), tz: 'UTC' })
    return [1, 2, 3, 4].map(() => parsed.next().getTime())
  } catch (error) {
    if (/explicit day of month|loop limit/.test(String(error))) return null
    throw error
  }
}
