import { utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { fileSensor } from '../../operators/data/file-sensor.ts'
import type { Json, JsonObject } from '../../plugins/api.ts'
import { runOperator } from '../support/task-context.ts'

const noon = Date.parse('2026-05-01T12:00:00Z')

function file(dir: string, name: string, size: number, age: number): void {
  writeFileSync(join(dir, name), 'x'.repeat(size))
  utimesSync(join(dir, name), (noon - age) / 1000, (noon - age) / 1000)
}

function look(dir: string, input: JsonObject, state: Json = null) {
  return runOperator(fileSensor, input, { dir, state, clock: { now: () => noon } })
}

t.test('it sleeps between looks until a file is there, and says why once', async (t) => {
  const dir = t.testdir()
  const first = await look(dir, { pattern: '*.done', every: '5m' })
  t.match(first.outcome, { type: 'sleep', until: noon + 300_000, state: '0 of 1 files are there' })
  t.match(first.logs, [{ message: /waiting for \*\.done/ }])
  const second = await look(dir, { pattern: '*.done', every: '5m' }, '0 of 1 files are there')
  t.strictSame(second.logs, [])
  file(dir, 'a.done', 3, 1000)
  const third = await look(dir, { pattern: '*.done', every: '5m' }, '0 of 1 files are there')
  t.strictSame(third.outcome, {
    type: 'succeeded',
    outputs: {
      files: [{ uri: join(dir, 'a.done'), size: 3, modified: '2026-05-01T11:59:59.000Z' }],
      count: 1,
      bytes: 3,
    },
  })
})

t.test('a file that is still growing, too small or too few is waited for', async (t) => {
  const dir = t.testdir()
  file(dir, 'a.csv', 10, 600_000)
  file(dir, 'b.csv', 5, 59_999)
  const cases: [JsonObject, RegExp][] = [
    [{ minAge: '1m' }, /b\.csv changed less than 1m ago/],
    [{ minSize: 6 }, /b\.csv has 5 bytes, less than 6/],
    [{ minSize: '1KiB' }, /a\.csv has 10 bytes, less than 1KiB/],
    [{ count: 3 }, /2 of 3 files/],
  ]
  for (const [input, state] of cases)
    t.match((await look(dir, { pattern: '*.csv', ...input })).outcome, { type: 'sleep', state })
  const all = await look(dir, { pattern: '*.csv', minAge: '59s', minSize: 5, count: 2 })
  t.match(all.outcome, { type: 'succeeded', outputs: { count: 2, bytes: 15 } })
})

t.test('a marker is a pattern like any other, and a folder means its files', async (t) => {
  const dir = t.testdir({ day: {} })
  t.match((await look(dir, { pattern: 'day/_SUCCESS' })).outcome, { type: 'sleep' })
  t.match((await look(dir, { pattern: 'day' })).outcome, { type: 'sleep' })
  file(dir, 'day/_SUCCESS', 0, 0)
  t.match((await look(dir, { pattern: 'day/_SUCCESS' })).outcome, { type: 'succeeded' })
  t.match((await look(dir, { pattern: 'day' })).outcome, { type: 'succeeded' })
})

t.test('a change where the pattern begins to vary wakes it, and no more is watched', async (t) => {
  const dir = t.testdir({ inbox: { deep: {} }, 'a{b': {} })
  file(dir, 'inbox/small.csv', 1, 600_000)
  for (const [input, path] of [
    [{ pattern: 'inbox/*.done' }, 'inbox'],
    [{ pattern: 'inbox/**/x.done' }, 'inbox'],
    [{ pattern: 'inbox/day-*/x' }, 'inbox'],
    [{ pattern: 'inbox/_SUCCESS' }, 'inbox/_SUCCESS'],
    [{ pattern: 'inbox/deep' }, 'inbox/deep'],
    [{ pattern: 'inbox/small.csv', minSize: 9 }, 'inbox/small.csv'],
    [{ pattern: 'outbox/*.done' }, 'outbox'],
    [{ pattern: '*', count: 99 }, '.'],
  ] as const) {
    const { outcome } = await look(dir, input)
    const on = outcome.type === 'sleep' ? outcome.on : null
    t.strictSame(on, { paths: [join(dir, path)] }, input.pattern)
  }
  const nowhere = await look(dir, { pattern: 'no/such/folder/*' })
  t.match(nowhere.outcome, { type: 'sleep', on: undefined }, 'time alone wakes it')
})

t.test('a file that is only too young wakes it when it is old enough, and not at each byte', async (t) => {
  const dir = t.testdir()
  file(dir, 'a.csv', 1, 5000)
  file(dir, 'b.csv', 1, 15_000)
  const { outcome } = await look(dir, { pattern: '*.csv', minAge: '20s', every: '5m' })
  t.strictSame(outcome, {
    type: 'sleep',
    until: noon + 15_000,
    state: `${join(dir, 'a.csv')} changed less than 20s ago`,
  })
})

t.test('bad input is refused', async (t) => {
  for (const input of [
    {},
    { pattern: '' },
    { pattern: 'a', every: 'often' },
    { pattern: 'a', minSize: '1 apple' },
    { pattern: 's3://b/a' },
  ]) {
    t.match(
      (await look(t.testdir(), input)).outcome,
      { type: 'failed', kind: 'invalid_input' },
      JSON.stringify(input),
    )
  }
})
