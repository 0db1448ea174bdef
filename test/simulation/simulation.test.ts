/** The engine on virtual time, in calm and in stormy worlds. Replay one seed: DAGCTL_SEED=n node this-file. */
import { Worker } from 'node:worker_threads'
import t from 'tap'
import type { plays, Seen } from './seeds.ts'

t.setTimeout(600_000)

const only = process.env.DAGCTL_SEED
/** Half of the seeds are storms, a quarter cancels, a quarter second chances. CI plays 10,000. */
const count = Number(process.env.DAGCTL_SEEDS ?? 2000)
const seeds = (share: number) =>
  only === undefined ? Array.from({ length: Math.ceil(count * share) }, (_, i) => i + 1) : [Number(only)]

/** Plays the seeds in two threads. Rejects with the first fault. */
async function inThreads(play: keyof typeof plays, all: readonly number[]): Promise<Seen> {
  const seen = await Promise.all(
    [0, 1].map(
      (half) =>
        new Promise<Seen>((resolve, reject) => {
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
  const sum = (name: keyof Seen) => seen.reduce((total, one) => total + one[name], 0)
  return {
    crashes: sum('crashes'),
    attempts: sum('attempts'),
    compared: sum('compared'),
    cancelled: sum('cancelled'),
    preemptions: sum('preemptions'),
    retried: sum('retried'),
    waits: sum('waits'),
  }
}

t.test('whatever crashes, every run ends as the uninterrupted one does', async (t) => {
  const storms = seeds(0.5)
  const { crashes, attempts, compared, preemptions, waits } = await inThreads('storm', storms)
  t.ok(
    only !== undefined || crashes > storms.length,
    `${storms.length} seeds, ${crashes} crashes, ${attempts} attempts`,
  )
  t.ok(only !== undefined || compared > storms.length, `${compared} runs equal`)
  t.ok(only !== undefined || preemptions > 0, `${preemptions} preemptions`)
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
