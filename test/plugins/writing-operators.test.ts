import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { Operator } from '../../plugins/api.ts'
import { attemptOf, listener, processRuntime } from '../support/runtimes.ts'
import { runOperator } from '../support/task-context.ts'

const text = readFileSync(fileURLToPath(import.meta.resolve('../../docs/writing-operators.md')), 'utf8')
const api = import.meta.resolve('../../plugins/api.ts')

/** The code blocks of the guide in a language. */
const blocks = (language: string) =>
  [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')

t.test('the operator of the guide does what its test in the guide says', async (t) => {
  const dir = t.testdir({ data: { 'a.txt': 'x\ny\n', 'b.txt': 'z\n' } })
  const path = `${dir}/count-lines.ts`
  writeFileSync(path, (blocks('ts')[0] ?? '').replace("'../../plugins/api.ts'", `'${api}'`))
  const { countLines } = (await import(pathToFileURL(path).href)) as { countLines: Operator }
  const { outcome, progress } = await runOperator(countLines, { from: 'data' }, { dir })
  t.strictSame(outcome, { type: 'succeeded', outputs: { lines: 3 } })
  t.strictSame(
    progress.map(({ done }) => done),
    [1, 2],
  )
  t.equal(readFileSync(`${dir}/counts.jsonl`, 'utf8').split('\n').length, 3)
  t.match((await runOperator(countLines, { from: 'absent' }, { dir })).outcome, { kind: 'invalid_input' })
})

t.test('the script of the guide counts, and resumes after the file that it finished', async (t) => {
  const dir = t.testdir({ 'a.txt': 'x\ny\n', 'b.txt': 'z\n' })
  writeFileSync(`${dir}/count.sh`, blocks('sh')[0] ?? '', { mode: 0o755 })
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const start = (attempt: number) => {
    const heard = listener()
    const { outcome } = runtime.start(
      attemptOf('Shell', { command: './count.sh a.txt b.txt' }, { dir, attempt }),
      heard.listen,
    )
    return { ...heard, outcome }
  }
  const first = start(1)
  t.strictSame(await first.outcome, { type: 'succeeded', outputs: { lines: 3 } })
  t.equal(first.events.filter(({ type }) => type === 'checkpoint').length, 2)
  const second = start(2)
  t.strictSame(await second.outcome, { type: 'succeeded', outputs: { lines: 3 } })
  t.strictSame(second.events, [], 'everything was done before')
})

t.test('every variable of the protocol stands in the guide', async (t) => {
  const runtime = processRuntime()
  t.teardown(() => runtime.close())
  const command = `env | sed -n 's/^\\(DAGCTL_[A-Z_]*\\)=.*/"\\1"/p' | paste -sd, | sed 's/.*/{"names":[&]}/' > "$DAGCTL_OUTPUT"`
  const outcome = await runtime.start(attemptOf('Shell', { command }, { dir: t.testdir() }), () => {}).outcome
  const names = outcome.type === 'succeeded' ? (outcome.outputs.names as string[]) : []
  t.ok(names.includes('DAGCTL_WORK'))
  for (const name of names.filter((one) => process.env[one] === undefined))
    t.ok(text.includes(`\`${name}\``), name)
})
