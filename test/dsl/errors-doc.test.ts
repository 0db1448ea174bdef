import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { errorsPage } from '../../scripts/errors-page.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = errorsPage()

t.test('docs/errors.md is what the tables of codes give', async (t) => {
  t.equal(readFileSync(join(root, 'docs/errors.md'), 'utf8'), page, 'run: npm run generate')
})

t.test('every code that stands in the sources is explained, and no other', async (t) => {
  const folders = ['bin', 'cli', 'dsl', 'engine', 'operators', 'plugins', 'services', 'server', 'simulation']
  const files = folders
    .filter((folder) => existsSync(join(root, folder)))
    .flatMap((folder) => globSync(`${folder}/**/*.{ts,mjs}`, { cwd: root }))
    .filter((file) => !file.endsWith('codes.ts'))
  const used = new Set<string>()
  for (const file of files)
    for (const [, code = ''] of readFileSync(join(root, file), 'utf8').matchAll(/'([EW]\d{3})'/g))
      used.add(code)
  const explained = new Set([...page.matchAll(/^\| ([EW]\d{3}) \|/gm)].map(([, code = '']) => code))
  t.strictSame([...used].filter((code) => !explained.has(code)).sort(), [])
  t.strictSame([...explained].filter((code) => !used.has(code)).sort(), [])
})
