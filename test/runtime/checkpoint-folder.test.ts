import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { filesBelow, newestCheckpoint, sealCheckpoint } from '../../engine/runtime/checkpoint-folder.ts'
import { Disk } from '../simulation/disk.ts'

const hazards = { calls: Number.MAX_SAFE_INTEGER, fail: 0, short: 0 }
const many = (path: string) => new Map(Array.from({ length: 20 }, (_, i) => [`${i}.bin`, path]))
const sealing = { step: 1, state: null, attempt: 'run-1-0-1', operator: 'Test@1', saved: '' }

t.test('what was sealed outlives a loss of power that takes all that was not synced', async (t) => {
  const dir = t.testdir({ data: {}, out: { 'a.bin': 'aaa', sub: { deep: { 'b.bin': 'bbb' } } } })
  const folder = join(dir, 'data/checkpoints/run-1/0')
  const disk = new Disk({ next: () => 0.9 })
  t.teardown(() => disk.close())
  await disk.during(hazards, async () =>
    sealCheckpoint(folder, { ...sealing, files: await filesBelow(join(dir, 'out')) }),
  )
  disk.losePower()
  disk.close()
  const found = await newestCheckpoint(folder, 'Test@1', (name, why) => t.fail(`${name}: ${why}`))
  t.match(found, { step: 1 })
  t.equal(readFileSync(join(found?.folder ?? '', 'sub/deep/b.bin'), 'utf8'), 'bbb')
})

t.test('also where whoever made its folder died before it was synced', async (t) => {
  const dir = t.testdir({ data: {} })
  const folder = join(dir, 'data/checkpoints/run-1/0')
  const disk = new Disk({ next: () => 0.9 })
  t.teardown(() => disk.close())
  const seal = () => sealCheckpoint(folder, { ...sealing, files: new Map() })
  t.equal(await disk.during({ ...hazards, calls: 1 }, seal), false)
  await disk.during(hazards, seal)
  disk.losePower()
  disk.close()
  t.match(await newestCheckpoint(folder, 'Test@1', () => {}), { step: 1 })
})

t.test('an attempt that still seals does not keep the one after it from it', async (t) => {
  const dir = t.testdir({ data: {}, 'a.bin': 'aaa' })
  const folder = join(dir, 'data/checkpoints/run-1/0')
  const disk = new Disk({ next: () => 0.9 })
  t.teardown(() => disk.close())
  const seal = { ...sealing, step: 2, attempt: 'run-1-0-2', files: many(join(dir, 'a.bin')) }
  await disk.during(hazards, async () => {
    await Promise.all([
      sealCheckpoint(folder, seal),
      sealCheckpoint(folder, { ...sealing, files: new Map() }),
    ])
  })
  disk.close()
  t.match(await newestCheckpoint(folder, 'Test@1', () => {}), { step: 2 })
  t.strictSame(readdirSync(folder), ['checkpoint-00000001', 'checkpoint-00000002'])
})

t.test('what it did not seal in time is not sealed half', async (t) => {
  const dir = t.testdir({ data: {}, 'a.bin': 'aaa' })
  const folder = join(dir, 'data/checkpoints/run-1/0')
  const disk = new Disk({ next: () => 0.9 })
  t.teardown(() => disk.close())
  const next = { ...sealing, step: 2, attempt: 'run-1-0-2', files: new Map() }
  await disk.during(hazards, async () => {
    const late = sealCheckpoint(folder, { ...sealing, files: many(join(dir, 'a.bin')) })
    await Promise.all([t.rejects(late, { code: 'ENOENT' }), sealCheckpoint(folder, next)])
  })
  disk.close()
  t.match(await newestCheckpoint(folder, 'Test@1', () => {}), { step: 2 })
  t.strictSame(readdirSync(folder), ['checkpoint-00000001'])
})
