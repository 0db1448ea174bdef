import t from 'tap'
import { toInstant } from '../../engine/clock.ts'
import { parseInterval, parseTime } from '../../engine/time-text.ts'

t.test('a time with an offset is that instant, in any zone', (t) => {
  const read = (text: string) => toInstant(parseTime(text, 'Asia/Tokyo'))
  t.equal(read('2026-01-31T02:00:00Z'), '2026-01-31T02:00:00.000Z')
  t.equal(read('2026-01-31t02:00:00z'), '2026-01-31T02:00:00.000Z')
  t.equal(read('2026-01-31 02:00:00.1239+05:30'), '2026-01-30T20:30:00.123Z')
  t.equal(read('1790-01-08T12:00-00:30'), '1790-01-08T12:30:00.000Z')
  t.equal(read('0001-01-01T00:00:00Z'), '0001-01-01T00:00:00.000Z')
  t.end()
})

t.test("a time without an offset is on the pipeline's clock", (t) => {
  const read = (text: string, zone = 'Europe/Berlin') => toInstant(parseTime(text, zone))
  t.equal(read('2026-01-31'), '2026-01-30T23:00:00.000Z')
  t.equal(read('2026-07-31T02:30'), '2026-07-31T00:30:00.000Z')
  t.equal(read('2026-07-31T02:30:05'), '2026-07-31T00:30:05.000Z')
  t.equal(read('2026-03-29T02:30'), '2026-03-29T01:30:00.000Z', 'in the gap: shifted forward')
  t.equal(read('2026-10-25T02:30'), '2026-10-25T00:30:00.000Z', 'shown twice: the first')
  t.equal(read('2018-11-04', 'America/Sao_Paulo'), '2018-11-04T03:00:00.000Z', 'a day without midnight')
  t.equal(
    read('2011-12-30', 'Pacific/Apia'),
    '2011-12-30T10:00:00.000Z',
    'a day that did not exist is the next',
  )
  t.equal(read('1790-01-01', 'UTC'), '1790-01-01T00:00:00.000Z')
  t.end()
})

t.test('what is not a time is refused with the reason and how to write one', (t) => {
  const wrong: { readonly [text: string]: string } = {
    '': 'not a time',
    yesterday: 'not a time',
    '2026-1-1': 'not a time',
    '2026-01-01T': 'not a time',
    '2026-01-01Z': 'not a time',
    '2026-13-01': 'no month 13',
    '2026-00-01': 'no month 0',
    '2026-02-29': 'no day 29 in that month',
    '2026-01-00': 'no day 0 in that month',
    '2026-01-01T24:00': 'no hour 24; midnight is 00:00 of the day',
    '2026-01-01T23:60': 'minutes and seconds go to 59',
    '2026-01-01T00:00:00+25:00': 'no offset `+25:00`',
  }
  for (const [text, why] of Object.entries(wrong)) {
    t.throws(() => parseTime(text, 'UTC'), {
      code: 'E152',
      kind: 'usage',
      message: `cannot read the time \`${text}\`: ${why}`,
    })
  }
  t.throws(() => parseTime('2026-01-01', 'Mars/Olympus'), { code: 'E151' })
  t.end()
})

t.test('an interval is two times with a slash between', (t) => {
  t.strictSame(parseInterval('2026-01-01/2026-01-02T00:00Z', 'UTC'), {
    start: Date.parse('2026-01-01T00:00:00Z'),
    end: Date.parse('2026-01-02T00:00:00Z'),
  })
  t.throws(() => parseInterval('2026-01-01', 'UTC'), {
    code: 'E152',
    message: 'cannot read the interval `2026-01-01`',
  })
  t.throws(() => parseInterval('2026-01-02/2026-01-01', 'UTC'), {
    code: 'E152',
    message: /ends before it starts/,
  })
  t.end()
})
