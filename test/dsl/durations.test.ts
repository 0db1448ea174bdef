import t from 'tap'
import { compileYaml } from '../support/compiled.ts'

t.test('a limit of no time at all is refused wherever it stands', async (t) => {
  const { problems } = await compileYaml(`dagctl: 1
pipeline: p
defaults: { timeout: PT0S }
deadline: { after: 0s }
tasks:
  a: { run: "true", timeout: 0.2ms }
  b: { run: "true", timeout: 1ms, retry: { delay: 0s, maxDelay: 0s }, cache: { ttl: 0s, files: [] } }
`)
  t.strictSame(
    problems.map(({ line, column, code, message, hint }) => `${line}:${column} ${code} ${message}; ${hint}`),
    [
      '3:22 E113 `defaults.timeout` must be longer than 0; leave `timeout` out for none',
      '4:20 E113 `deadline.after` must be longer than 0; leave `deadline` out for none',
      '6:30 E113 `timeout` must be longer than 0; leave `timeout` out for none',
    ],
  )
})

t.test('so it is in a file that others use', async (t) => {
  const load = async () => ({
    file: 'group.yaml',
    text: 'dagctl: 1\npipeline: group\ndefaults: { timeout: 0s }\ntasks: { a: { run: "true" } }\n',
  })
  const { problems } = await compileYaml('  g: { use: ./group.yaml }\n', undefined, { load })
  t.match(problems, [{ file: 'group.yaml', line: 3, column: 22, code: 'E113' }])
})
