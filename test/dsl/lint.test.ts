import t from 'tap'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml, warningsOf } from '../support/compiled.ts'

const catalogue = catalogueWith(
  operator({ name: 'Ingest', stage: 'data', timeout: 1 }),
  operator({ name: 'Clean', stage: 'data', timeout: 1 }),
  operator({ name: 'PIIMasker', stage: 'data', timeout: 1 }),
  operator({ name: 'SlowSensor', stage: 'data', sensor: true, timeout: 1 }),
  operator({ name: 'BigTrain', stage: 'training', timeout: 1 }),
  operator({ name: 'Quantize', stage: 'training', timeout: 1 }),
  operator({ name: 'Judge', stage: 'evaluation', timeout: 1 }),
  operator({ name: 'Ship', stage: 'deployment', effects: 'deploy', timeout: 1 }),
)
const of = async (tasks: string) => (await warningsOf(tasks, catalogue)).filter((code) => code !== 'W103')

t.test('data that reaches training, evaluation or deployment past the masker is warned of', async (t) => {
  t.strictSame(await of('  in: { uses: Ingest }\n  fit: { uses: Quantize, needs: [in] }'), ['W101'])
  t.strictSame(
    await of(
      '  in: { uses: Ingest }\n  mask: { uses: PIIMasker, needs: [in] }\n  clean: { uses: Clean, needs: [mask] }\n  fit: { uses: Quantize, needs: [clean] }',
    ),
    [],
  )
  t.strictSame(
    await of(
      '  in: { uses: Ingest }\n  mask: { uses: PIIMasker, needs: [in] }\n  fit: { uses: Quantize, needs: [mask, in] }',
    ),
    ['W101'],
  )
  t.strictSame(
    await of(
      '  in: { uses: Ingest }\n  sh: { run: ls, needs: [in], timeout: 1s }\n  test: { uses: Judge, needs: [sh] }',
    ),
    ['W101'],
  )
  t.strictSame(await of('  look: { uses: SlowSensor }\n  fit: { uses: Quantize, needs: [look] }'), [])
  t.strictSame(await of('  fit: { uses: Quantize }\n  test: { uses: Judge, needs: [fit] }'), [])
})

t.test('the order of tasks in the file does not matter', async (t) => {
  t.strictSame(
    await of(
      '  fit: { uses: Quantize, needs: [clean] }\n  clean: { uses: Clean, needs: [in] }\n  in: { uses: Ingest }',
    ),
    ['W101'],
  )
})

t.test('a deployment needs an evaluation gate above it', async (t) => {
  t.strictSame(await of('  ship: { uses: Ship }'), ['W102'])
  t.strictSame(await of('  test: { uses: Judge }\n  ship: { uses: Ship, needs: [test] }'), ['W102'])
  t.strictSame(
    await of('  test: { uses: Judge, gate: [outputs.score > 0.5] }\n  ship: { uses: Ship, needs: [test] }'),
    [],
  )
  t.strictSame(
    await of(
      '  test: { uses: Judge, gate: [outputs.score > 0.5] }\n  wait: { uses: Noop, needs: [test] }\n  ship: { uses: Ship, needs: [wait] }',
    ),
    [],
  )
  t.strictSame(
    await of('  test: { uses: Judge }\n  ship: { uses: Ship, when: tasks.test.outputs.verdict == "pass" }'),
    [],
  )
  t.strictSame(
    await of('  sh: { run: ls, timeout: 1s, gate: [outputs.x == 1.0] }\n  ship: { uses: Ship, needs: [sh] }'),
    [],
    'a command may evaluate',
  )
  t.strictSame(
    await of('  in: { uses: Noop, gate: [outputs.x == 1.0] }\n  ship: { uses: Ship, needs: [in] }'),
    ['W102'],
  )
})

t.test('training without a checkpoint is warned of; what trains nothing is not', async (t) => {
  t.strictSame(await warningsOf('  fit: { uses: BigTrain }', catalogue), ['W103'])
  t.strictSame(await warningsOf('  fit: { uses: Quantize }', catalogue), [])
})

t.test('tasks without a timeout are one warning; what ends at once needs none', async (t) => {
  const { problems } = await compileYaml(
    '  a: { run: ls }\n  b: { run: ls, timeout: 1s }\n  c: { run: ls }\n  d: { uses: Noop }',
  )
  t.match(problems, [
    { code: 'W104', severity: 'warning', line: 4, column: 3, message: '`a` and 1 other have no timeout' },
  ])
  t.equal(problems.length, 1)
  t.strictSame(await warningsOf('defaults: { timeout: 1h }\ntasks:\n  a: { run: ls }'), [])
})

t.test('secrets in plain text are warned of, by their look or their name', async (t) => {
  const inEnv = (name: string, value: string) =>
    warningsOf(`  a: { run: ls, timeout: 1s, env: { ${name}: ${JSON.stringify(value)} } }`)
  for (const [name, value] of [
    ['X', 'AKIAIOSFODNN7EXAMPLE'],
    ['X', `ghp_${'a1'.repeat(18)}`],
    ['X', '-----BEGIN RSA PRIVATE KEY-----\nx'],
    ['X', 'postgres://me:hunter22@db/x'],
    ['DB_PASSWORD', 'correcthorse'],
    ['apiKey', '0123456789abcdef'],
  ] as const)
    t.strictSame(await inEnv(name, value), ['W106'], `${name}: ${value}`)
  for (const [name, value] of [
    ['X', 'plain'],
    ['DB_PASSWORD', '{{ run.id }}'],
    ['TOKENIZER', 'llama-3-8b-base'],
    ['X', 'postgres://db/x'],
    ['MONKEY', 'bananabanana'],
    ['X', 'https://example.com:8080/a@b'],
  ] as const)
    t.strictSame(await inEnv(name, value), [], `${name}: ${value}`)
  t.strictSame(await warningsOf('  a: { run: "curl -u me https://me:hunter22@host/", timeout: 1s }'), [
    'W106',
  ])
})

t.test('lint waits until there is no error', async (t) => {
  const { problems } = await compileYaml('  a: { run: ls, needs: [b] }')
  t.strictSame(
    problems.map(({ code }) => code),
    ['E121'],
  )
})
