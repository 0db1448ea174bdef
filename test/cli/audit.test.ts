/** `dagctl audit`: what it notes of people and runs, and what it exports. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { keysOf, verifyStore } from '../../cli/audit-log.ts'
import type { AuditContent } from '../../engine/audit/log.ts'
import type { Verify } from '../../engine/audit/verify.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { dagctl, json, start } from '../support/command-line.ts'

const pipeline =
  'dagctl: 1\npipeline: p\ndefaults: { timeout: 1m, retry: { attempts: 1 } }\ntasks: { a: { run: "exit 3" }, b: { uses: Noop, needs: [a] } }\n'

async function world(t: Test) {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  await dagctl(folder, ['runs', 'mark', id, 'a', 'succeeded', '--reason', 'by hand'])
  const told = async (...words: string[]): Promise<readonly AuditContent[]> =>
    (await json(folder, ['audit', 'show', ...words])).document.entries
  return { folder, id, told }
}

t.test('what a person did and what became of it stands in the log, and outlives the run', async (t) => {
  const { folder, id, told } = await world(t)
  t.hasStrict(
    (await told('--run', id)).map(({ what, detail }) => [what, detail.state ?? detail.reason]),
    [
      ['run.manifest', 'succeeded'],
      ['run.ended', 'succeeded'],
      ['run.mark', 'by hand'],
      ['run.manifest', 'failed'],
      ['run.ended', 'failed'],
      ['run.created', undefined],
    ],
  )
  t.hasStrict(await told('--what', 'run.mark'), [
    { subject: { run: id, pipeline: 'p' }, detail: { as: 'succeeded', tasks: ['a'] } },
  ])
  t.strictSame(await told('--who', 'nobody'), [])
  t.equal((await told('--limit', '1')).length, 1)
  writeFileSync(join(folder, 'dagctl.yaml'), 'dagctl: 1\nretention: { runs: { age: PT0S, count: 1 } }\n')
  writeFileSync(join(folder, 'p.yaml'), pipeline.replace('exit 3', 'true'))
  await dagctl(folder, ['run', 'p.yaml'])
  await dagctl(folder, ['db', 'prune'])
  t.match(await dagctl(folder, ['runs', 'show', id]), { exit: 2, err: /there is no run/ })
  t.equal((await told('--run', id)).length, 6)
  t.match(await dagctl(folder, ['audit', 'verify']), {
    exit: 0,
    out: /^ok: \d+ entries, signed by [0-9a-f]{16}\n$/,
  })
})

t.test('how a run ended is noted with the digest of its manifest, large or small', async (t) => {
  const folder = t.testdir({
    'p.yaml': `dagctl: 1
pipeline: p
params: { items: { type: array } }
tasks: { a: { uses: Noop, foreach: "{{ params.items }}", with: { outputs: { n: "{{ item }}" } } } }
`,
  })
  for (const count of [3, 1_200]) {
    const items = JSON.stringify(Array.from({ length: count }, (_, item) => item))
    const { document } = await json(folder, ['run', 'p.yaml', '--param', `items=${items}`])
    const { id } = document.run
    const { digest } = (await json(folder, ['runs', 'manifest', id])).document
    const [newest] = (await json(folder, ['audit', 'show', '--what', 'run.manifest'])).document.entries
    t.strictSame([newest.subject.run, newest.detail], [id, { digest, state: 'succeeded' }])
  }
})

t.test('an altered log exits 4 and says what it was', async (t) => {
  const { folder } = await world(t)
  const { default: Database } = await import('better-sqlite3')
  const db = new Database(join(folder, '.dagctl/dagctl.db'))
  db.exec("UPDATE audit SET content = replace(content, 'by hand', 'checked') WHERE seq = 4")
  db.close()
  const { exit, out } = await dagctl(folder, ['audit', 'verify'])
  t.equal(exit, 4)
  t.equal(
    out,
    `altered: entry 4 (number 1 of chain ${/chain (\S+),/.exec(out)?.[1]}, run.mark) is not what its hash says\n`,
  )
})

t.test('an export stands for itself, in parts too, and the log is found to go on from it', async (t) => {
  const { folder } = await world(t)
  const file = join(folder, 'log.jsonl')
  const exported = async (...words: string[]) => {
    const { exit, out } = await dagctl(folder, ['audit', 'export', ...words])
    t.equal(exit, 0)
    writeFileSync(file, out)
    return out.trimEnd().split('\n')
  }
  t.equal((await exported('--what', 'run.mark')).length, 2)
  t.match(await dagctl(folder, ['audit', 'verify', '--export', 'log.jsonl']), {
    exit: 0,
    out: /^ok: 1 entries/,
  })
  t.equal((await exported()).length, 7)
  await dagctl(folder, ['run', 'p.yaml'])
  t.match(await dagctl(folder, ['audit', 'verify', '--since', 'log.jsonl']), {
    exit: 0,
    out: /^ok: 9 entries/,
  })
  writeFileSync(file, readFileSync(file, 'utf8').replace('by hand', 'checked'))
  t.match(await dagctl(folder, ['audit', 'verify', '--export', 'log.jsonl']), {
    exit: 4,
    out: /^altered: line 5: run\.mark \(number 1 of chain \S+\) is not in the signed tree at 3\n$/,
  })
  const [head = ''] = readFileSync(file, 'utf8').split('\n')
  for (const [text, line] of [
    ['no export', 1],
    ['{"log":"dagctl-audit/1"}', 1],
    [`${head}\nnull`, 2],
    [`${head}\n{"index":0,"entry":{},"proof":[1]}`, 2],
  ] as const) {
    writeFileSync(file, `${text}\n`)
    for (const option of line === 1 ? ['--export', '--since'] : ['--export'])
      t.match(await dagctl(folder, ['audit', 'verify', option, 'log.jsonl']), {
        exit: 2,
        err: `log.jsonl:${line} is no line of an exported audit log`,
      })
  }
})

t.test('what people do to backfills, datasets and the store is noted with who did it', async (t) => {
  const nightly = `${pipeline.replace('exit 3', 'true')}schedule: { every: 1d, timezone: UTC }\n`
  const folder = t.testdir({
    'p.yaml': nightly,
    'dagctl.yaml': 'dagctl: 1\nretention: { runs: { count: 1 } }\n',
  })
  await dagctl(folder, ['backfill', 'p.yaml', '--from', '2026-01-01', '--to', '2026-01-03'])
  await dagctl(folder, ['datasets', 'update', 's3://lake/x'])
  await dagctl(folder, ['db', 'prune'])
  const { entries } = (await json(folder, ['audit', 'show'])).document
  const people = (entries as readonly AuditContent[]).filter(({ who }) => who !== 'engine')
  t.hasStrict(
    people.map(({ what }) => what),
    ['store.pruned', 'dataset.updated', 'backfill.created'],
  )
  t.match(await dagctl(folder, ['audit', 'verify']), { exit: 0 })
})

t.test('a log that is written while it is verified is as it was written', async (t) => {
  const { folder } = await world(t)
  const data = join(folder, '.dagctl')
  const store = openSqlite({ path: join(data, 'dagctl.db') })
  t.teardown(() => store.close())
  const keys = keysOf(data, null)
  const verify: Verify = (key, content, signature) => keys.get(key)?.verifies(content, signature) === true
  const writing = Promise.all(
    Array.from({ length: 5 }, (_, i) => start(folder, ['datasets', 'update', `s3://lake/${i}`]).ended),
  )
  let over = false
  void writing.then(() => {
    over = true
  })
  let looks = 0
  for (; !over; looks++) {
    t.strictSame((await verifyStore(store, verify, null)).faults, [])
    await setImmediate()
  }
  t.ok(looks > 5)
})

t.test('an empty log, or one without its key, is not exported, and no key is made for that', async (t) => {
  const empty = t.testdir({})
  t.match(await dagctl(empty, ['audit', 'export']), { exit: 2, err: /the audit log holds nothing yet/ })
  t.strictSame(readdirSync(empty), [])
  const { folder } = await world(t)
  rmSync(join(folder, '.dagctl/audit.key'))
  t.match(await dagctl(folder, ['audit', 'export']), { exit: 2, err: /there is no audit\.key in / })
  t.notOk(existsSync(join(folder, '.dagctl/audit.key')))
  t.match(await dagctl(folder, ['audit', 'verify']), { exit: 0 })
})
