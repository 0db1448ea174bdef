/** `dagctl db prune`: what goes, what stays, and what is said of it. */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'

const pipeline =
  'dagctl: 1\npipeline: p\ndefaults: { timeout: 1m }\ntasks: { a: { run: "echo said; echo x > made" } }\n'
const config = (retention: string) => `dagctl: 1\nretention: ${retention}\n`

t.test('runs beyond the newest go with their folders; a dry run only says so', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline, 'dagctl.yaml': config('{ runs: { count: 1 } }') })
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push((await json(folder, ['run', 'p.yaml'])).document.run.id)
  const attempts = () => readdirSync(join(folder, '.dagctl/attempts')).toSorted()
  const dry = await json(folder, ['db', 'prune', '--dry-run'])
  t.equal(dry.exit, 0)
  t.hasStrict(dry.document, { dryRun: true, pruned: { runs: 2, logs: 0 } })
  t.ok(dry.document.pruned.bytes > 0)
  t.strictSame(attempts(), ids.toSorted())
  const done = await json(folder, ['db', 'prune'])
  t.strictSame(done.document, { dryRun: false, pruned: dry.document.pruned }, 'it does what it said')
  t.strictSame(attempts(), [ids[2]])
  const { document } = await json(folder, ['runs', 'list'])
  t.strictSame(
    document.runs.map(({ id }: { readonly id: string }) => id),
    [ids[2]],
  )
  t.match(await dagctl(folder, ['runs', 'show', ids[0] as string]), { exit: 2, err: /there is no run/ })
  t.match(await dagctl(folder, ['db', 'prune']), { exit: 0, out: 'removed nothing\n' })
  const { entries } = (await json(folder, ['audit', 'show', '--what', 'store.pruned'])).document
  t.hasStrict(
    entries.map(({ detail }: { readonly detail: object }) => detail),
    [{ runs: 2 }],
    'what removed something is noted, once',
  )
})

t.test('a dry run leaves nothing behind where there is nothing', async (t) => {
  const folder = t.testdir({ 'dagctl.yaml': config('{ logs: 1d }') })
  t.match(await dagctl(folder, ['db', 'prune', '--dry-run']), { exit: 0, out: 'would remove nothing\n' })
  t.strictSame(readdirSync(folder), ['dagctl.yaml'])
})

t.test('logs, events and checkpoints go before their runs do', async (t) => {
  const retention = '{ logs: PT0.001S, events: PT0.001S, checkpoints: PT0.001S }'
  const folder = t.testdir({ 'p.yaml': pipeline, 'dagctl.yaml': config(retention) })
  const { id } = (await json(folder, ['run', 'p.yaml'])).document.run
  t.match(await dagctl(folder, ['logs', id]), { out: /said/ })
  const { exit, out } = await dagctl(folder, ['db', 'prune'])
  t.equal(exit, 0)
  t.match(out, /^removed the logs of 1 run, the events of 1 run, [\d,]+ bytes of files\n$/)
  t.notOk(existsSync(join(folder, '.dagctl/attempts', id)))
  t.match((await json(folder, ['runs', 'show', id])).document.run, { state: 'succeeded' })
  const after = await dagctl(folder, ['logs', id])
  t.notMatch(after.out, /said/)
  t.equal(after.err, `run ${id} ended longer ago than \`retention.logs\` keeps logs\n`)
  t.match(await dagctl(folder, ['why', id, 'a']), { exit: 0 })
})

t.test('without limits nothing is pruned, and it is said where they are written', async (t) => {
  const folder = t.testdir({ 'p.yaml': pipeline })
  const { exit, err } = await dagctl(folder, ['db', 'prune'])
  t.equal(exit, 2)
  t.match(err, /nothing says how long things are kept[\s\S]*dagctl\.yaml/)
})
