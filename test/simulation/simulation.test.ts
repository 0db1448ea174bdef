/** The engine on virtual time, in calm and in stormy worlds. Replay one seed: DAGCTL_SEED=n node this-file. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { plays } from './seeds.ts'

t.setTimeout(600_000)

const only = process.env.DAGCTL_SEED
/**
 * Half of the seeds are storms, a quarter cancels, a quarter second chances; a tenth more are checkpoints, and a few more
 * make their runs. CI plays 10,000.
 */
const count = Number(process.env.DAGCTL_SEEDS ?? 2000)
const seeds = (share: number) =>
  only === undefined ? Array.from({ length: Math.ceil(count * share) }, (_, i) => i + 1) : [Number(only)]

type Play = keyof typeof plays
/** How much a play has seen. */
type Seen<Name extends Play> = Awaited<ReturnType<(typeof plays)[Name]>>

/** Plays the seeds in two threads, and adds up what they have seen. Rejects with the first fault. */
async function inThreads<Name extends Play>(play: Name, all: readonly number[]): Promise<Seen<Name>> {
  const [one, other] = await Promise.all(
    [0, 1].map(
      (half) =>
        new Promise<{ readonly [name: string]: number }>((resolve, reject) => {
          const workerData = { play, seeds: all.filter((_, index) => index % 2 === half) }
          const worker = new Worker(new URL('./seeds-worker.ts', import.meta.url), { workerData })
          worker.on('message', resolve)
          worker.on('error', reject)
          worker.on('exit', (code) =>
            reject(new Error(`a thread ended with ${code} before its seeds were played`)),
          )
        }),
    ),
  )
  const sums = Object.entries(one ?? {}).map(([name, count]) => [name, count + (other?.[name] ?? 0)])
  return Object.fromEntries(sums)
}

t.test('whatever crashes, every run ends as the uninterrupted one does', async (t) => {
  const storms = seeds(0.5)
  const { crashes, attempts, compared, preemptions, spared, waits } = await inThreads('storm', storms)
  t.ok(
    only !== undefined || crashes > storms.length,
    `${storms.length} seeds, ${crashes} crashes, ${attempts} attempts`,
  )
  t.ok(only !== undefined || compared > storms.length, `${compared} runs equal`)
  t.ok(only !== undefined || preemptions > 0, `${preemptions} preemptions`)
  t.ok(only !== undefined || spared > 0, `${spared} tasks preempted as often as may be`)
  t.ok(only !== undefined || waits > 0, `${waits} times all stood still for a reason`)
})

t.test('a run that is cancelled, or whose deadline passes, leaves no task open', async (t) => {
  const cancels = seeds(0.25)
  const { cancelled } = await inThreads('cancel', cancels)
  t.ok(only !== undefined || cancelled > cancels.length / 2, `${cancelled} cancelled runs`)
})

t.test('what is retried succeeds in the end, and what had succeeded does not run again', async (t) => {
  const { retried } = await inThreads('retry', seeds(0.25))
  t.ok(only !== undefined || retried > 0, `${retried} runs that had not succeeded`)
})

t.test('what schedules, datasets and backfills make is made once, whatever crashes', async (t) => {
  const all = seeds(0.02)
  const seen = await inThreads('makers', all)
  if (only !== undefined) return
  const { crashes, runs, compared, covered, left, backfills, pauses, cancelled, waits } = seen
  t.ok(crashes > all.length, `${all.length} seeds, ${crashes} crashes`)
  t.ok(runs > 10 * all.length, `${runs} runs were made`)
  t.ok(compared > 5 * all.length, `${compared} runs ended as in peace`)
  t.ok(covered > 5 * all.length, `${covered} updates of datasets were covered`)
  t.ok(left > all.length, `${left} times a run was left out for one that was active`)
  t.ok(backfills > all.length / 3, `${backfills} backfills, ${pauses} pauses`)
  t.ok(pauses > all.length / 10, `${pauses} pauses`)
  t.ok(cancelled > 0, `${cancelled} were cancelled`)
  t.ok(waits > all.length / 2, `${waits} times it was asked what all waits for`)
})

t.test('what was sealed is restored, and what was torn or altered never is', async (t) => {
  const all = seeds(0.1)
  const { crashes, sealed, restored, passed, refused } = await inThreads('checkpoints', all)
  t.ok(only !== undefined || crashes > all.length / 2, `${all.length} seeds, ${crashes} crashes`)
  t.ok(only !== undefined || sealed > all.length, `${sealed} checkpoints sealed`)
  t.ok(only !== undefined || restored > all.length, `${restored} restored`)
  t.ok(only !== undefined || passed > all.length / 10, `${passed} times one before the newest`)
  t.ok(only !== undefined || refused > 0, `${refused} chosen steps that were not there`)
})
