import t from 'tap'
import { shortTime, table } from '../../cli/print.ts'
import { parseTime } from '../../engine/time-text.ts'

const head = ['task', 'state', 'attempts']
const right = ['attempts']
const few = [
  ['mask[north]', '\u001b[32msucceeded\u001b[39m', '1'],
  ['mask[日本語 é]', 'failed', '12'],
  ['', '', ''],
]

t.test('a table of many rows looks as one of few', async (t) => {
  const small = (await table(head, few, right)).split('\n')
  const many = Array.from({ length: 100 }, () => few).flat()
  const large = (await table(head, many, right)).split('\n')
  t.equal(large.length, 301)
  t.strictSame(large.slice(0, 4), small)
  t.strictSame(large.slice(-3), small.slice(1))
})

t.test('a table of more rows than a call may have arguments is set out too', async (t) => {
  const rows = Array.from({ length: 300_000 }, (_, index) => [String(index), 'succeeded', '1'])
  const lines = (await table(head, rows, right)).split('\n')
  t.equal(lines.length, 300_001)
  t.equal(lines.at(-1), '299999  succeeded         1')
})

t.test('a time that is shown means the same in every zone, with a blank or a T', (t) => {
  for (const at of ['2026-01-12T00:00:00Z', '2026-01-12T01:00:00Z', '2026-07-03T12:00:59Z'].map(Date.parse)) {
    const text = shortTime(at)
    for (const zone of ['UTC', 'Europe/Berlin'])
      t.strictSame([parseTime(text, zone), parseTime(text.replace(' ', 'T'), zone)], [at, at], text)
  }
  t.end()
})
