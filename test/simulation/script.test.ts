import t from 'tap'
import type { Act } from '../../schemas/pipeline-tests.generated.ts'
import { turnOf } from '../../simulation/script.ts'

/** How the first tries end, and how long each takes. */
const tries = (acts: Act | readonly Act[], count: number) =>
  Array.from({ length: count }, (_, turn) => {
    const { ending, takes } = turnOf(acts, turn, { made: 'up' })
    return `${ending.type === 'failed' || ending.type === 'released' ? ending.kind : ending.type} ${takes}`
  })

t.test('one act is for every try', (t) => {
  t.strictSame(tries({ fails: 'oom', takes: '1s' }, 3), ['oom 1000', 'oom 1000', 'oom 1000'])
  t.strictSame(tries([], 1), ['succeeded 0'])
  t.end()
})

t.test('`times` fails so often, and the success after it takes as long', (t) => {
  t.strictSame(tries({ fails: 'network', times: 2, takes: '1s' }, 4), [
    'network 1000',
    'network 1000',
    'succeeded 1000',
    'succeeded 1000',
  ])
  t.end()
})

t.test('a list is one entry per try, the last for all further ones', (t) => {
  const acts = [
    { fails: 'crash', times: 2 },
    { skips: 'none' },
    { fails: 'node_lost', takes: 'forever' },
  ] as const
  t.strictSame(tries(acts, 5), [
    'crash 0',
    'crash 0',
    'skipped 0',
    'node_lost Infinity',
    'node_lost Infinity',
  ])
  t.end()
})

t.test('outputs that are given go over those that are made up', (t) => {
  const made = { dataset: 'a.dataset', train: { records: 0, bytes: 0 }, rows: [1, 2] }
  const { ending } = turnOf({ outputs: { train: { records: 5 }, rows: [3] } }, 0, made)
  const outputs = { dataset: 'a.dataset', train: { records: 5, bytes: 0 }, rows: [3] }
  t.strictSame(ending, { type: 'succeeded', outputs })
  t.end()
})
