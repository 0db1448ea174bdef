/** A hundred command lines that start at the same moment on a data folder that is not there yet. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { publicKeyPattern } from '../../engine/audit/key.ts'
import { dagctl, json, start } from '../support/command-line.ts'

const timeout = 170_000
t.setTimeout(timeout)

t.test(
  'a hundred runs that are started at once all succeed, and share one database and one key',
  { timeout },
  async (t) => {
    const folder = t.testdir({ 'p.yaml': 'dagctl: 1\npipeline: p\ntasks: { a: { uses: Noop } }\n' })
    const all = await Promise.all(Array.from({ length: 100 }, () => start(folder, ['run', 'p.yaml']).ended))
    const failed = all.filter(({ exit }) => exit !== 0)
    t.strictSame(failed, [])
    const { runs } = (await json(folder, ['runs', 'list', '--limit', '200'])).document
    t.equal(runs.length, 100)
    t.ok(runs.every(({ state }: { readonly state: string }) => state === 'succeeded'))
    t.equal(readdirSync(join(folder, '.dagctl')).filter((name) => publicKeyPattern.test(name)).length, 1)
    t.match(await dagctl(folder, ['audit', 'verify']), { exit: 0, out: /^ok: 300 entries/ })
  },
)
