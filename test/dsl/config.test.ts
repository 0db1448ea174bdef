import { readFileSync } from 'node:fs'
import t from 'tap'
import { readConfig } from '../../dsl/config.ts'
import { format } from '../../dsl/problems.ts'

const read = (text: string) => readConfig({ text, file: 'dagctl.yaml' })
const problemsOf = async (text: string) =>
  (await read(text)).problems.map(({ code, line, column, message, hint }) => [
    code,
    line,
    column,
    hint === null ? message : `${message}: ${hint}`,
  ])

t.test('every setting has a default, and none is needed', async (t) => {
  const defaults = {
    data: null,
    store: null,
    resources: { pools: {}, rates: { cpu: 0, gpu: 0, pools: {} } },
    env: [],
    slots: {},
    retention: {},
  }
  for (const text of ['', '# nothing yet\n', 'dagctl: 1\n', '{}', 'pools: {}\n'])
    t.strictSame(await read(text), { installation: defaults, problems: [] }, JSON.stringify(text))
})

t.test('the example of the page is valid, and says what it seems to say', async (t) => {
  const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
  const [, example = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const day = 86_400_000
  t.strictSame(await read(example), {
    problems: [],
    installation: {
      data: '/var/lib/dagctl',
      store: 'sqlite:/var/lib/dagctl/dagctl.db',
      resources: {
        pools: { gpu: { slots: 4, gpus: 1 }, warehouse: { slots: 2, gpus: 0 } },
        rates: { cpu: 0.04, gpu: 2.5, pools: { warehouse: 1.2 } },
      },
      env: ['HF_HOME', 'TEAM'],
      slots: { process: 8, inline: 1024 },
      retention: { runs: { age: 90 * day, count: 10_000 }, logs: 30 * day, checkpoints: 14 * day },
    },
  })
})

t.test('what is wrong is told all at once, with its place and what was probably meant', async (t) => {
  const text = `dagctl: 2
pool: {}
pools: { gpu: { slot: 4 }, 9: { slots: 0 } }
rates: { gpu: -1 }
env: [TEAM, "A-B", TEAM]
retention: { logs: soon, runs: {} }
`
  t.strictSame(await problemsOf(text), [
    ['E113', 1, 9, '`dagctl` must be `1`, not `2`'],
    ['E110', 2, 1, 'unknown key `pool`: did you mean `pools`?'],
    ['E112', 3, 10, '`slots` is missing'],
    ['E110', 3, 17, 'unknown key `slot`: did you mean `slots`?'],
    [
      'E113',
      3,
      28,
      'the name `9` is not allowed: letters, digits, `_` and `-`, at most 128 characters, starting with a letter or `_`',
    ],
    ['E113', 3, 40, '`pools.9.slots` must be at least 1, not `0`'],
    ['E113', 4, 15, '`rates.gpu` must be at least 0, not `-1`'],
    ['E113', 5, 6, '`env` must not hold anything twice: item 3 equals item 1'],
    [
      'E113',
      5,
      13,
      '`env.1` must be the name of an environment variable: letters, digits and `_`, not starting with a digit, not `A-B`',
    ],
    ['E113', 6, 20, '`retention.logs` must be a duration such as `12h`, `30d` or `P2W`, not `soon`'],
    ['E113', 6, 32, '`retention.runs` must have at least 1 key'],
  ])
})

t.test('what the format has and this version does not do is refused, not ignored', async (t) => {
  t.strictSame(await problemsOf('plugins: [./mine]\nnotifiers: { ops: {} }\n'), [
    ['E115', 1, 1, '`plugins` is not supported yet'],
    ['E115', 2, 1, '`notifiers` is not supported yet'],
  ])
})

t.test('a duration that no clock could count is none', async (t) => {
  t.match(await problemsOf('retention: { logs: 99999999999999d }\n'), [
    ['E113', 1, 20, '`retention.logs` is too long a duration'],
  ])
})

t.test('a file that is no mapping is told as what it is', async (t) => {
  t.match(await problemsOf('- a\n'), [['E102', 1, 1, /^dagctl.yaml is a mapping, not a list/]])
  t.match(await problemsOf('a: 1\n---\nb: 1\n'), [['E108', 2, 1, /one file, one installation/]])
  const { problems } = await read('pols: {}\n')
  t.equal(
    format(problems[0] as never, 'pols: {}\n'),
    'dagctl.yaml:1:1 error E110 unknown key `pols`\n    1 | pols: {}\n      | ^^^^ did you mean `pools`?',
  )
})
