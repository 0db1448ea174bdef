import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'

const root = new URL('..', import.meta.url).pathname
const rooms = ['cli', 'dsl', 'engine', 'operators', 'plugins', 'schemas', 'server', 'services', 'simulation']

interface Source {
  readonly path: string
  readonly text: string
}

function sources(...folders: string[]): Source[] {
  const paths = globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  )
  return paths
    .filter((path) => !path.endsWith('.generated.ts'))
    .sort()
    .map((path) => ({ path, text: readFileSync(`${root}${path}`, 'utf8') }))
}

/** The code without its comments, which may name what the code must not use. */
function code(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '')
}

t.test(
  'time and chance come from engine/clock.ts and engine/random.ts, so that a simulation can replay',
  (t) => {
    const allowed: { readonly [path: string]: RegExp } = {
      'engine/clock.ts': /Date\.now|setTimeout|setImmediate|performance.now/,
      'engine/random.ts': /randomBytes/,
      // A file is touched; nobody reads its time.
      'engine/wake.ts': /new Date/,
    }
    const banned =
      /\b(Date\.now|new Date(?=\(\))|performance\.now|process\.hrtime|Math\.random|randomUUID|randomBytes|setTimeout|setInterval|setImmediate)\b/g
    const all = sources(...rooms)
    t.ok(all.length > 50, `${all.length} files read`)
    for (const { path, text } of all) {
      for (const [found] of code(text).matchAll(banned)) {
        // Operators are not simulated: to let other work go on is theirs to do.
        if (allowed[path]?.test(found) || (found === 'setImmediate' && path.startsWith('operators/')))
          continue
        t.fail(`${path} uses ${found}`)
      }
    }
    t.end()
  },
)

t.test('a file is a room: 400 lines at most, tests and benches 600', (t) => {
  const tooLong = (files: Source[], most: number) => {
    for (const { path, text } of files) {
      const lines = text.split('\n').length - 1
      if (lines > most) t.fail(`${path} has ${lines} lines, ${most} is the end: it is two rooms`)
    }
  }
  tooLong(sources(...rooms, 'scripts'), 400)
  tooLong(sources('test', 'bench'), 600)
  t.end()
})

t.test('a file opens with a line that says what it does', (t) => {
  for (const { path, text } of sources(...rooms, 'bench', 'scripts')) {
    if (!/^(#!.*\n)?\/(\/|\*\*) ?\S|^\/\*\*\n \* \S/.test(text))
      t.fail(`${path} opens with ${text.split('\n')[0]}`)
  }
  t.end()
})

t.test('one word for one thing: no file is a manager, a helper or a utility', (t) => {
  for (const { path } of sources(...rooms, 'bench', 'scripts', 'test')) {
    if ((path.startsWith('dsl/') ? /manager|util/i : /manager|helper|util/i).test(path))
      t.fail(`${path} does not say what is in it`)
  }
  t.end()
})

t.test('nothing is declared as a manager or a utility either; helpers are what templates call', (t) => {
  for (const { path, text } of sources(...rooms)) {
    const words = path.startsWith('dsl/') ? 'Manager|Util' : 'Manager|Helper|Util'
    const found = new RegExp(`\\b(class|function|interface|type|const) \\w*(${words})s?\\b`).exec(code(text))
    if (found) t.fail(`${path} declares ${found[0]}`)
  }
  t.end()
})

t.test('each dependency has its line in docs/decisions.md', (t) => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const rows = readFileSync(`${root}docs/decisions.md`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) => line.split('|')[1] ?? '')
  const named = new Set(rows.flatMap((cell) => cell.split(',').map((name) => name.trim())))
  for (const name of Object.keys({ ...dependencies, ...devDependencies })) {
    if (!named.has(name) && !name.startsWith('@types/')) t.fail(`${name} has no line`)
  }
  t.end()
})

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(page: string): ReadonlySet<string> {
  const headings = page.matchAll(/^#+ (.*)$/gm)
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

t.test('every link between pages leads to a file, and to a heading of it where it names one', (t) => {
  const pages = ['README.md', 'CHANGELOG.md', ...globSync('docs/**/*.md', { cwd: root }).sort()]
  let links = 0
  for (const page of pages) {
    const text = readFileSync(join(root, page), 'utf8').replaceAll(/^```[\s\S]*?^```/gm, '')
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/.test(link)) continue
      links++
      const [path = '', anchor] = link.split('#')
      const file = path === '' ? join(root, page) : join(root, dirname(page), path)
      if (!existsSync(file)) t.fail(`${page} links to ${link}, which is not there`)
      else if (anchor !== undefined && !anchors(readFileSync(file, 'utf8')).has(anchor))
        t.fail(`${page} links to ${link}: the page has no such heading`)
    }
  }
  t.ok(links > 20, `${links} links read`)
  t.end()
})
