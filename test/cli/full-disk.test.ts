import { spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { holds, json, start, waits } from '../support/command-line.ts'

const small = mkdtempSync(join(tmpdir(), 'dagctl-full-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', small]).status === 0
t.teardown(() => {
  if (mounted) spawnSync('umount', [small])
  rmSync(small, { recursive: true, force: true })
})

/** Writes until the disk has no room. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  try {
    for (const size of [65_536, 512, 1]) {
      try {
        for (;;) writeSync(file, Buffer.alloc(size))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      }
    }
  } finally {
    closeSync(file)
  }
}

t.test(
  'a disk that fills up ends the command with exit 5, and the run goes on once there is room',
  { skip: mounted ? false : 'this machine allows no mount' },
  async (t) => {
    const folder = t.testdir({
      'full.yaml': `dagctl: 1
pipeline: full
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
  first: { run: "echo first >> ran; ${waits('go')}" }
  second: { run: "echo second >> ran", needs: [first] }
`,
    })
    const started = start(folder, ['run', 'full.yaml', '--data', small])
    await holds(join(folder, 'ran'), 'first')
    fill(join(small, 'big'))
    writeFileSync(join(folder, 'go'), '')
    const { exit, err } = await started.ended
    t.equal(exit, 5)
    t.match(err, 'the disk is full')
    t.notMatch(err, /\n {4}at /)
    const [, id] = /dagctl runs resume (\S+)/.exec(err) ?? []
    rmSync(join(small, 'big'))
    const resumed = await json(folder, ['runs', 'resume', String(id), '--data', small])
    t.equal(resumed.exit, 0)
    t.match(resumed.document, {
      run: { state: 'succeeded' },
      tasks: [{ state: 'succeeded' }, { state: 'succeeded' }],
    })
  },
)
