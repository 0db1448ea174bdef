/** A write-ahead log that ends in the middle of a page, or too early: the run goes on from what there is. */
import {
  appendFileSync,
  cpSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { seededRandom } from '../../engine/random.ts'
import { json, start } from '../support/command-line.ts'

t.setTimeout(120_000)

const tasks = Array.from(
  { length: 12 },
  (_, i) => `  t${i}: { run: "echo t${i} >> did; sleep 0.05"${i === 0 ? '' : `, needs: [t${i - 1}]`} }`,
).join('\n')
const pipeline = `dagctl: 1\npipeline: p\ndefaults: { timeout: 1m, retry: { attempts: 1 } }\ntasks:\n${tasks}\n`

/** Bytes of a frame of the log: a header of 24 and a page of 4096 (SQLite's file format, section 4.1). */
const frame = 24 + 4096

t.test('a run goes on from a log whose last page was torn, or that ends in rubbish', async (t) => {
  const random = seededRandom(1)
  for (const harm of ['torn', 'rubbish'] as const) {
    const folder = t.testdir({ 'p.yaml': pipeline })
    const started = start(folder, ['run', 'p.yaml'])
    await started.said('t3 succeeded')
    started.child.kill('SIGKILL')
    await started.ended
    const wal = join(folder, '.dagctl/dagctl.db-wal')
    t.ok(existsSync(wal) && statSync(wal).size > 2 * frame)
    // A page that was on its way when the power went; what was committed before it is on disk.
    const page = Buffer.from(Array.from({ length: frame }, () => Math.floor(random.next() * 256)))
    appendFileSync(wal, harm === 'torn' ? readFileSync(wal).subarray(32, 32 + 2000) : page)
    const { runs } = (await json(folder, ['runs', 'list'])).document
    const { exit, document } = await json(folder, ['runs', 'resume', runs[0].id])
    t.equal(exit, 0, harm)
    t.equal(document.run.state, 'succeeded')
    const did = readFileSync(join(folder, 'did'), 'utf8').trim().split('\n')
    t.strictSame(did, [...new Set(did)], 'nothing ran twice')
    t.equal(did.length, 12)
  }
})

t.test('where the last commits are gone too, the run goes on from what there is', async (t) => {
  const dir = t.testdir({ whole: { 'p.yaml': pipeline.replace('attempts: 1', 'attempts: 3') } })
  const folder = join(dir, 'whole')
  const started = start(folder, ['run', 'p.yaml'])
  await started.said('t3 succeeded')
  started.child.kill('SIGKILL')
  await started.ended
  const before = readFileSync(join(folder, 'did'), 'utf8')
  // As with a disk that says that it has written what it has not.
  for (const lost of [1, 3, 6]) {
    const copy = join(dir, `lost-${lost}`)
    cpSync(folder, copy, { recursive: true })
    const wal = join(copy, '.dagctl/dagctl.db-wal')
    truncateSync(wal, statSync(wal).size - lost * frame - 100)
    // The run's folder is the first one, whichever copy of its store goes on.
    writeFileSync(join(folder, 'did'), before)
    const { runs } = (await json(copy, ['runs', 'list'])).document
    const { exit, document } = await json(copy, ['runs', 'resume', runs[0].id])
    t.equal(exit, 0, `${lost} pages lost`)
    t.equal(document.run.state, 'succeeded')
    const did = readFileSync(join(folder, 'did'), 'utf8').trim().split('\n')
    t.equal(new Set(did).size, 12)
    t.equal(did.at(-1), 't11')
  }
})
