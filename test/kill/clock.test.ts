/** The real clock of a real engine is set back by an hour, and forward again, while tasks run, sleep and wait for a retry. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json, start } from '../support/command-line.ts'
import { required } from '../support/requirement.ts'

t.setTimeout(120_000)

/** The library of Debian's package `faketime`, which reads the time's offset from a file at each question. */
const library = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((path) => existsSync(path))

/** Each fails once, and says what it does with a time that nobody sets. */
const flaky = (name: string, after: string) =>
  `${name}: { run: "sleep ${after}; echo ${name} >> did; test -e ${name}.again || { : > ${name}.again; exit 75; }" }`

const pipeline = `dagctl: 1
pipeline: p
defaults: { timeout: 1m, retry: { attempts: 3, delay: 2s, factor: 1, jitter: none } }
tasks:
  long: { run: "echo long >> did; sleep 3" }
  ${flaky('soon', '0.1')}
  ${flaky('late', '0.8')}
  nap: { uses: Wait, with: { for: 3s } }
  last: { needs: [long, soon, late, nap], run: "echo last >> did" }
`

for (const jump of ['-1h', '+1h'])
  t.test(
    `a run goes on when the clock is set by ${jump}, nothing twice and nothing an hour late`,
    async (t) => {
      const preload = required(t, library ?? null, 'libfaketime')
      if (preload === null) return
      const folder = t.testdir({ 'p.yaml': pipeline, clock: '+0' })
      const began = performance.now()
      const run = start(folder, ['run', 'p.yaml'], {
        LD_PRELOAD: preload,
        FAKETIME_TIMESTAMP_FILE: join(folder, 'clock'),
        FAKETIME_NO_CACHE: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      })
      await run.said('late attempt 1 failed')
      writeFileSync(join(folder, 'clock'), jump)
      const { exit } = await run.ended
      t.equal(exit, 0)
      t.ok(performance.now() - began < 60_000, 'nobody waited for the hour')
      const did = readFileSync(join(folder, 'did'), 'utf8').trim().split('\n')
      t.strictSame(did.toSorted(), ['last', 'late', 'late', 'long', 'soon', 'soon'])
      const { document } = await json(folder, ['runs', 'list'])
      t.match(document.runs, [{ state: 'succeeded' }])
      t.match(await dagctl(folder, ['audit', 'verify']), { exit: 0 })
    },
  )
