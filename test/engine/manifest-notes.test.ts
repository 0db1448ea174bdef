import t from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { ManifestNotes, type ManifestNotesParts } from '../../engine/manifest-notes.ts'
import type { ManifestDue, NotedManifest } from '../../engine/store/store.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'

const one = { pipeline: 'p', state: 'succeeded', fence: 1, endedAt: 1, own: true, tasks: 1, bytes: 1 }

/** A store with so many runs due, and what is noted in it. */
function world(count: number) {
  let open = Array.from({ length: count }, (_, at): ManifestDue => ({ ...one, run: `r${at}` }))
  const noted: NotedManifest[] = []
  const failures: unknown[] = []
  const parts = {
    store: {
      manifestsDue: async (_engine: string, _at: number, most: number) => open.slice(0, most),
      noteManifests: async (manifests: readonly NotedManifest[]) => {
        noted.push(...manifests)
        open = open.filter((one) => !manifests.some(({ due }) => due.run === one.run))
      },
    },
    clock: systemClock,
    engine: 'e1',
    make: async ({ run }: ManifestDue) => ({ digest: `of ${run}`, reason: null }),
    failed: (error: unknown) => failures.push(error),
  }
  return { parts, noted, failures, left: () => open.length }
}

t.test('what is due is noted in order, however much it is', async (t) => {
  const { parts, noted, left } = world(100)
  const notes = new ManifestNotes(parts)
  notes.look()
  while (left() > 0) await new Promise<void>((resolve) => systemClock.soon(resolve))
  t.strictSame(
    noted.map(({ due, digest }) => [due.run, digest]),
    Array.from({ length: 100 }, (_, at) => [`r${at}`, `of r${at}`]),
  )
  await notes.close()
})

t.test('who closes waits for what is due of its own runs, and for no others', async (t) => {
  const { parts, noted } = world(100)
  const mixed: ManifestNotesParts['store'] = {
    ...parts.store,
    manifestsDue: async (...asked) =>
      (await parts.store.manifestsDue(...asked)).map((due) => ({
        ...due,
        own: Number(due.run.slice(1)) < 3,
      })),
  }
  const notes = new ManifestNotes({ ...parts, store: mixed })
  await notes.close()
  notes.look()
  t.strictSame(
    noted.map(({ due }) => due.run),
    ['r0', 'r1', 'r2'],
  )
})

t.test('who closes does not wait for ever: what takes too long is called off', async (t) => {
  const clock = new VirtualClock()
  const { parts, noted, failures } = world(1)
  const make: ManifestNotesParts['make'] = (_, signal) =>
    new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)))
  const notes = new ManifestNotes({ ...parts, clock: clock.face(), make })
  const closed = notes.close()
  while (await clock.step());
  await closed
  t.equal(clock.time - new VirtualClock().time, 5000)
  t.strictSame([noted, failures], [[], []])
})

t.test(
  'a manifest that cannot be made is noted with the reason; one not made yet is asked for again',
  async (t) => {
    const { parts, noted, failures, left } = world(3)
    let asked = 0
    const make: ManifestNotesParts['make'] = async ({ run }) => {
      if (run === 'r0') return { digest: null, reason: 'it is too odd' }
      if (run === 'r1') return asked++ === 0 ? null : { digest: 'later', reason: null }
      return { digest: 'd', reason: null }
    }
    const notes = new ManifestNotes({ ...parts, make })
    notes.look()
    while (left() > 1) await new Promise<void>((resolve) => systemClock.soon(resolve))
    await notes.close()
    t.strictSame(
      noted.map(({ due, digest, reason }) => [due.run, digest, reason]),
      [
        ['r0', null, 'it is too odd'],
        ['r2', 'd', null],
        ['r1', 'later', null],
      ],
    )
    t.strictSame(failures, [])
  },
)

t.test('a store that fails is told of', async (t) => {
  const { parts, failures } = world(1)
  const broken = async () => {
    throw new Error('the disk is full')
  }
  const notes = new ManifestNotes({ ...parts, store: { ...parts.store, noteManifests: broken } })
  notes.look()
  await notes.close()
  t.match(failures, [{ message: 'the disk is full' }])
})
