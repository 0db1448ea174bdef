import { readFileSync } from 'node:fs'
import t from 'tap'
import { dagctl } from '../support/command-line.ts'

const page = readFileSync(new URL('../../docs/testing-pipelines.md', import.meta.url), 'utf8')

/** The blocks of a language, in order. */
function blocks(language: string): string[] {
  return Array.from(
    page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')),
    ([, text]) => text ?? '',
  )
}

/** Blocks that begin with `# NAME`, as files of that name. */
const files = Object.fromEntries(
  blocks('yaml').flatMap((text) => {
    const [, name, rest] = /^# (\S+\.yaml)\n([\s\S]*)$/.exec(text) ?? []
    return name === undefined ? [] : [[name, rest as string] as const]
  }),
)

t.test('the tutorial of testing pipelines does what it shows', async (t) => {
  const folder = t.testdir(files)
  const [shown, failing] = blocks('text')
  const passed = await dagctl(folder, ['test', 'bot.test.yaml'])
  t.equal(`$ dagctl test bot.test.yaml\n${passed.out}`, shown)

  const mistyped = { ...files, 'bot.yaml': files['bot.yaml']?.replace('tokens >=', 'tokens <=') ?? '' }
  const { exit, out } = await dagctl(t.testdir(mistyped), ['test', 'bot.test.yaml', '--case', 'too few'])
  t.equal(exit, 4)
  t.ok(failing && out.includes(failing), out)

  const lake = await dagctl(t.testdir(files), ['test', 'lake.test.yaml'])
  t.equal(lake.exit, 0, lake)

  const year = await dagctl(t.testdir(files), ['test', 'year.test.yaml'])
  t.match(year, { exit: 0, out: /365 runs, 4h 30m at most/ })
})
