import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { filesBelow, newestCheckpoint, sealCheckpoint } from '../../engine/runtime/checkpoint-folder.ts'
import { Disk } from '../simulation/disk.ts'

const hazards = { calls: Number.POSITIVE_INFINITY, fail: 0, short: 0 }
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
