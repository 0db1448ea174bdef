import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import { compileYaml, errorsOf } from '../support/compiled.ts'
import { scopeWith } from '../support/scope.ts'

const { render, test } = createEvaluator()
const errorsWith = async (yaml: string, env: readonly string[] | null) =>
  (await compileYaml(yaml, undefined, { env })).problems
    .filter(({ severity }) => severity === 'error')
    .map(({ code, message, hint }) => `${code} ${message} (${hint})`)

t.test('only allowed variables of the environment can be read', async (t) => {
  const yaml = '  a: { run: "ls {{ env.REGION }}", when: env.REGION == "eu", env: { R: "{{ env.REGION }}" } }'
  t.strictSame(await errorsWith(yaml, ['REGION']), [])
  t.strictSame(await errorsWith('  a: { run: "ls {{ env.REGIN }}" }', ['REGION']), [
    'E122 the variable `REGIN` of the environment is not allowed here (did you mean `REGION`?)',
  ])
  for (const env of [null, []])
    t.strictSame(await errorsWith('  a: { run: "ls {{ default env.REGION 1 }}" }', env), [
      'E122 the variable `REGION` of the environment is not allowed here (allow it in dagctl.yaml: `env: [REGION]`)',
    ])
  t.match(await errorsWith('  a: { uses: Noop, when: env.REGION > 1 }', ['REGION']), [/^E134/])
})

t.test('a task sees its own input where that is resolved: in env, gate, recover and produces', async (t) => {
  const own = '{{ with.command }}'
  const good = [
    `env: { C: "${own}" }`,
    'gate: [with.command == "ls"]',
    `recover: { oom: { set: { command: "nice ${own}" } } }`,
    `produces: ["out/${own}"]`,
  ]
  for (const key of good) t.strictSame(await errorsOf(`  a: { run: ls, ${key} }`), [], key)
  const bad = ['when: with.command == "ls"', `cache: { files: ["${own}"] }`, `foreach: ["${own}"]`]
  for (const key of bad) t.match(await errorsOf(`  a: { run: ls, ${key} }`), [/^E122 `with` can only/], key)
  t.match(await errorsOf(`  a: { run: "ls ${own}" }`), [/^E122 `with` can only/])
  t.match(await errorsOf('  a: { run: ls, env: { C: "{{ with.comand }}" } }'), [
    /^E122 `with.comand` is not given by this task/,
  ])
})

t.test('the names of an instance, an input, a group and the environment have their values', (t) => {
  const scope = scopeWith({
    item: { name: 'de', n: 3 },
    index: 2,
    with: { batchSize: 7 },
    env: { REGION: 'eu' },
    inputs: { source: 's3://x' },
    integers: ['/item/n', '/index'],
  })
  t.equal(render('{{ item.name }}-{{ index }}-{{ env.REGION }}-{{ inputs.source }}', scope), 'de-2-eu-s3://x')
  t.equal(render('{{ half with.batchSize }}', scope), 3)
  t.equal(render('{{ double with.batchSize }}', scope), 14)
  t.ok(test('item.n + index == 5 && env.REGION == "eu"', scope))
  t.throws(() => render('{{ env.HOME }}', scope), { code: 'E160' })
  t.throws(() => render('{{ item }}', scopeWith()), { code: 'E160', message: /there is no `item` here/ })
  t.equal(render('{{ item }}', scopeWith({ item: null })), null)
  t.end()
})

t.test('the instances of a mapped task are read by number and by key', (t) => {
  const de = { kept: 3 }
  const view = { state: 'succeeded', outputs: [de, null], byKey: { de, fr: null } } as const
  const scope = scopeWith({ tasks: { mask: view, plain: { state: 'succeeded', outputs: {} } } })
  t.equal(render('{{ tasks.mask.outputs.[0].kept }}', scope), 3)
  t.equal(render('{{ tasks.mask.byKey.de.kept }}', scope), 3)
  t.equal(render("{{ default tasks.mask.byKey.fr.kept 'none' }}", scope), 'none')
  t.equal(render("{{ default tasks.mask.outputs.[7].kept 'none' }}", scope), 'none')
  t.ok(test('tasks.mask.outputs[1] == null && tasks.mask.byKey["de"] != null', scope))
  t.throws(() => render('{{ tasks.plain.byKey.de }}', scope), { code: 'E160' })
  t.throws(() => render('{{ tasks.mask.byKey.constructor }}', scope), { code: 'E160' })
  t.end()
})
