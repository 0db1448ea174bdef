import t from 'tap'
import {
  type BackfillQuestion,
  type ExistingRun,
  type Makings,
  planBackfill,
  type Reprocess,
  reprocessModes,
  toBackfillRow,
} from '../../engine/backfill-plan.ts'
import type { Interval } from '../../engine/pipeline.ts'
import { type RunState, runStates } from '../../engine/state.ts'

const day = 86_400_000
const intervals: Interval[] = [0, 1, 2].map((index) => ({ start: index * day, end: (index + 1) * day }))
const first = intervals[0] as Interval

const current: Makings = { version: 'v', params: { lang: 'en' }, provenance: { operators: { Shell: 'd1' } } }

function run(state: RunState, createdAt = 0, interval = first): ExistingRun {
  return { id: `${state}-${createdAt}`, state, interval, createdAt, ...current }
}

function actionFor(reprocess: Reprocess, ...runs: ExistingRun[]): string {
  return planBackfill({ intervals: [first], runs, reprocess, current })[0]?.action ?? ''
}

t.test('which states each mode runs again', (t) => {
  const expected: { readonly [state in RunState]: readonly Reprocess[] } = {
    queued: [],
    running: [],
    paused: [],
    succeeded: ['all'],
    failed: ['failed', 'all'],
    cancelled: ['missing', 'failed', 'stale', 'all'],
  }
  for (const reprocess of reprocessModes) {
    t.equal(actionFor(reprocess), 'run', `${reprocess} runs what has no run`)
    for (const state of runStates) {
      t.equal(
        actionFor(reprocess, run(state)),
        expected[state].includes(reprocess) ? 'run' : 'skip',
        `${reprocess}, ${state}`,
      )
    }
  }
  t.end()
})

t.test(
  'an active run decides, then the newest finished one, and a cancelled one only where it is alone',
  (t) => {
    t.equal(actionFor('all', run('running', 1), run('succeeded', 2)), 'skip')
    t.equal(actionFor('failed', run('failed', 1), run('succeeded', 2)), 'skip')
    t.equal(actionFor('failed', run('succeeded', 1), run('failed', 2)), 'run')
    t.equal(actionFor('failed', run('failed', 2), run('succeeded', 1)), 'run', 'in any order')
    t.equal(actionFor('missing', run('failed', 1), run('cancelled', 2)), 'skip')
    t.end()
  },
)

t.test('stale is what has no run, or was made of something else: version, params, operators, data', (t) => {
  const before = (makings: Partial<Makings>, state: RunState = 'succeeded') => ({ ...run(state), ...makings })
  const decided = (one: ExistingRun, more: Partial<BackfillQuestion> = {}) => {
    const [row] = planBackfill({ intervals: [first], runs: [one], reprocess: 'stale', current, ...more })
    return [row?.action, row?.reason]
  }
  t.equal(actionFor('stale'), 'run', 'a hole is stale')
  t.strictSame(decided(before({})), ['skip', 'already succeeded, of the same version and inputs'])
  t.strictSame(decided(before({}, 'failed')), ['skip', 'its run failed; --reprocess failed runs it again'])
  for (const state of ['succeeded', 'failed'] as const) {
    const version = before({ version: 'u' }, state)
    t.strictSame(decided(version), ['run', 'its run was of another version of the pipeline'])
  }
  t.strictSame(decided(before({ version: 'u' }, 'running')), ['skip', 'a run is running'])
  t.strictSame(decided(before({ params: { lang: 'de' } })), ['run', 'its run had another `lang`'])
  t.strictSame(decided(before({ params: {} })), ['run', 'its run had another `lang`'])
  t.strictSame(decided(before({ provenance: { operators: { Shell: 'd0' } } })), [
    'run',
    'its run used other operators',
  ])
  t.equal(decided(before({ provenance: null }))[0], 'skip', 'what is not known is not compared')
  t.equal(decided(before({ provenance: { ...current.provenance, dagctl: '0' } }))[0], 'skip')
  t.strictSame(decided(before({}), { changed: new Map([['succeeded-0', 'docs/a.jsonl']]) }), [
    'run',
    'docs/a.jsonl changed since its run began',
  ])
  t.end()
})

t.test('of several runs the newest finished one decides what is stale', (t) => {
  t.equal(actionFor('stale', { ...run('succeeded', 1), version: 'u' }, run('succeeded', 2)), 'skip')
  t.equal(actionFor('stale', run('succeeded', 1), { ...run('succeeded', 2), version: 'u' }), 'run')
  t.end()
})

t.test('a run counts for its own interval only', (t) => {
  const halfDay = { start: 0, end: day / 2 }
  t.equal(actionFor('missing', run('succeeded', 1, halfDay)), 'run')
  t.equal(actionFor('missing', run('succeeded', 1, intervals[1])), 'run')
  t.end()
})

t.test('intervals come oldest first, in reverse newest first', (t) => {
  const starts = (reverse: boolean) =>
    planBackfill({ intervals, runs: [], reprocess: 'missing', reverse }).map(
      ({ interval }) => interval.start / day,
    )
  t.strictSame(starts(false), [0, 1, 2])
  t.strictSame(starts(true), [2, 1, 0])
  t.end()
})

t.test('each row says what is done and why', (t) => {
  const runs = [run('succeeded', 1, intervals[0]), run('failed', 1, intervals[1])]
  t.strictSame(planBackfill({ intervals, runs, reprocess: 'missing' }).map(toBackfillRow), [
    {
      start: '1970-01-01T00:00:00.000Z',
      end: '1970-01-02T00:00:00.000Z',
      action: 'skip',
      reason: 'already succeeded',
      run: 'succeeded-1',
      state: 'succeeded',
    },
    {
      start: '1970-01-02T00:00:00.000Z',
      end: '1970-01-03T00:00:00.000Z',
      action: 'skip',
      reason: 'its run failed; --reprocess failed runs it again',
      run: 'failed-1',
      state: 'failed',
    },
    {
      start: '1970-01-03T00:00:00.000Z',
      end: '1970-01-04T00:00:00.000Z',
      action: 'run',
      reason: 'no run yet',
      run: null,
      state: null,
    },
  ])
  t.end()
})
