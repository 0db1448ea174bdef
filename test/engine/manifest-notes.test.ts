import t from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { ManifestNotes } from '../../engine/manifest-notes.ts'
import type { ManifestDue, NotedManifest } from '../../engine/store/store.ts'

/** A store with so many runs due, and what is noted in it. */
function world(count: number) {
  let open = Array.from(
    { length: count },
    (_, at): ManifestDue => ({ run: `r${at}`, pipeline: 'p', state: 'succeeded', fence: 1, tasks: 1 }),
  )
  const noted: NotedManifest[] = []
  const failures: unknown[] = []
  const parts = {
    store: {
      manifestsDue: async (_engine: string, _at: number, most: number) => open.slice(0, most),
      noteManifests: async (manifests: readonly NotedManifest[]) => {
        noted.push(...manifests)
        open = open.filter((one) => !manifests.some(({ due }) => due === one))
      },
    },
    clock: systemClock,
    engine: 'e1',
    digest: async ({ run }: ManifestDue) => `of ${run}`,
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

t.test('who closes waits for the batch at hand, and leaves the rest', async (t) => {
  const { parts, noted, left } = world(100)
  const notes = new ManifestNotes(parts)
  notes.look()
  await notes.close()
  notes.look()
  t.equal(noted.length, 32)
  t.equal(left(), 68)
})

t.test('a manifest that cannot be made is noted with the reason, and keeps no other back', async (t) => {
  const { parts, noted, failures } = world(2)
  const digest = async ({ run }: ManifestDue) => {
    if (run === 'r0') throw new Error('it is too odd')
    return 'd'
  }
  const notes = new ManifestNotes({ ...parts, digest })
  notes.look()
  await notes.close()
  t.strictSame(
    noted.map(({ digest, reason }) => [digest, reason]),
    [
      [null, 'it is too odd'],
      ['d', null],
    ],
  )
  t.strictSame(failures, [])
})

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
