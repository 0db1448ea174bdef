/** Tasks that do what no task should: the engine and the tasks beside them do not notice. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { dagctl, json } from '../support/command-line.ts'

t.setTimeout(120_000)

/** What each does, and the kind of failure that it comes to; null where it succeeds all the same. */
const hostile: {
  readonly [id: string]: { readonly run: string; readonly kind: string | null }
} = {
  deletes: { run: 'rm -rf "$(dirname "$DAGCTL_OUTPUT")"', kind: null },
  replaces: { run: 'd=$(dirname "$DAGCTL_OUTPUT"); rm -rf "$d"; echo mine > "$d"', kind: 'invalid_input' },
  huge: { run: 'dd if=/dev/zero of="$DAGCTL_OUTPUT" bs=1 count=1 seek=1073741823', kind: 'invalid_input' },
  invalid: { run: 'echo "{" > "$DAGCTL_OUTPUT"', kind: 'invalid_input' },
  list: { run: 'echo "[1]" > "$DAGCTL_OUTPUT"', kind: 'invalid_input' },
  linked: { run: 'ln -s ../../../../secret "$DAGCTL_OUTPUT"', kind: 'invalid_input' },
  events: { run: 'yes nonsense | head -c 5000000 > "$DAGCTL_EVENTS"', kind: null },
  forks: { run: 'for i in 1 2 3 4 5; do sleep 300 & echo $! >> forked; done', kind: null },
  kills: { run: 'kill -KILL 0', kind: 'crash' },
}

/** Whether a process of this number runs; one that nobody has reaped does not. */
function runs(pid: string): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}

t.test('whatever a task does, the tasks beside it run, and it ends as what it was', async (t) => {
  const tasks = Object.entries(hostile).map(([id, { run }]) => `  ${id}: { run: ${JSON.stringify(run)} }`)
  const folder = t.testdir({
    secret: '{"stolen":true}',
    'p.yaml': `dagctl: 1
pipeline: p
defaults: { timeout: 1m, retry: { attempts: 1 } }
tasks:
${tasks.join('\n')}
  good: { run: "echo fine" }
  after: { uses: Noop, trigger: all_done, needs: [${Object.keys(hostile).join(', ')}, good] }
`,
  })
  const { exit, document } = await json(folder, ['run', 'p.yaml'])
  t.equal(exit, 4)
  type Row = {
    readonly id: string
    readonly state: string
    readonly failure: { readonly kind: string } | null
    readonly outputs: unknown
  }
  const rows = new Map((document.tasks as Row[]).map((row) => [row.id, row]))
  for (const [id, { kind }] of Object.entries(hostile))
    t.equal(rows.get(id)?.failure?.kind ?? null, kind, `${id}: ${JSON.stringify(rows.get(id)?.failure)}`)
  t.equal(rows.get('good')?.state, 'succeeded')
  t.equal(rows.get('after')?.state, 'succeeded')
  t.notMatch(JSON.stringify(document), /stolen/)
  const forked = readFileSync(join(folder, 'forked'), 'utf8').trim().split('\n')
  t.equal(forked.length, 5)
  for (const pid of forked) t.notOk(runs(pid), `nothing of its group is left: ${pid}`)
  for (const command of [
    ['runs', 'show', document.run.id, '--attempts'],
    ['logs', document.run.id],
    ['why', document.run.id, 'kills'],
  ])
    t.match(await dagctl(folder, command), { exit: 0 }, command.join(' '))
})
