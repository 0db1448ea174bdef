import t from 'tap'
import type { Options } from '../../dsl/compile.ts'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml, errorsOf, pipelineOf } from '../support/compiled.ts'

t.test('a task takes slots of a pool, has a priority, may be preempted, and produces datasets', async (t) => {
  const yaml = `  a: { uses: Noop }
  b: { uses: Noop, pool: gpu, slots: 2, priority: 50, preemptible: true, produces: [out/a, "s3://{{ tasks.a.outputs.x }}"] }`
  const [a, b] = (await pipelineOf(yaml)).tasks
  t.match(b, { pool: 'gpu', slots: 2, priority: 50, preemptible: true, needs: [0] })
  t.strictSame(b?.produces, ['out/a', 's3://{{ tasks.a.outputs.x }}'])
  for (const key of ['pool', 'slots', 'priority', 'preemptible', 'produces', 'endpoints'])
    t.notOk(key in (a ?? {}), `${key} is absent where nothing is said`)
  t.strictSame(await errorsOf('  a: { uses: Noop, slots: 2 }'), ['E112 `slots` needs `pool`'])
  t.strictSame(await errorsOf('  a: { uses: Noop, preemptible: true, priority: -3 }'), [])
})

t.test('a pool that nobody declared is warned of, if anybody declares pools', async (t) => {
  const one = { slots: 1, gpus: 0 }
  const problems = async (pools?: Options['pools']) =>
    (await compileYaml('  a: { uses: Noop, pool: gpus }', undefined, pools === undefined ? {} : { pools }))
      .problems
  t.strictSame(await problems(), [])
  t.strictSame(await problems(null), [])
  t.strictSame(await problems({ gpus: one }), [])
  t.match(await problems({ gpu: one, cpu: one }), [
    {
      code: 'W107',
      severity: 'warning',
      message: 'the pool `gpus` is not declared in dagctl.yaml: it has no limit',
      hint: 'did you mean `gpu`?',
    },
  ])
})

t.test('a task that takes more slots than its pool has can never start', async (t) => {
  const pools = { gpu: { slots: 2, gpus: 1 } }
  const of = (task: string) => compileYaml(`  a: { uses: Noop, ${task} }`, undefined, { pools })
  t.strictSame((await of('pool: gpu, slots: 2')).problems, [])
  t.match((await of('pool: gpu, slots: 4')).problems, [
    {
      severity: 'error',
      code: 'E113',
      message: 'the task can never start: it takes 4 slots of the pool gpu, which has 2',
      line: 4,
      column: 38,
    },
  ])
  t.match((await of('pool: cpu, slots: 4')).problems, [{ code: 'W107' }], 'what is not declared has no limit')
})

t.test('effects can be raised, and retry, timeout and cache follow', async (t) => {
  const yaml = `defaults: { retry: { attempts: 9 }, timeout: 1h }
tasks:
  a: { run: ./ship.sh, effects: deploy }
  b: { run: ./load.sh, effects: data }`
  const [a, b] = (await pipelineOf(yaml)).tasks
  t.match(a, { effects: 'deploy', retry: { attempts: 1 }, timeout: null })
  t.match(b, { effects: 'data', retry: { attempts: 9 }, timeout: 3_600_000 })
  t.match(await errorsOf('  a: { run: ls, effects: deploy, cache: { files: [] } }'), [/^E142/])
  t.strictSame(await errorsOf('  a: { run: ls, effects: none }'), [
    'E113 `Shell` has the effects `data`: a task can have more, not fewer',
  ])
})

t.test('inputs that an operator marks as endpoints are named by pointers', async (t) => {
  const url = { type: 'string', 'x-endpoint': true }
  const call = operator({
    name: 'Call',
    input: {
      type: 'object',
      properties: { url, mirrors: { type: 'array', items: url }, body: { type: 'string' } },
    },
  })
  const { tasks } = await pipelineOf(
    '  a: { uses: Call, with: { url: "https://example.org" } }',
    catalogueWith(call),
  )
  t.strictSame(tasks[0]?.endpoints, ['/url', '/mirrors/*'])
})

t.test('a deadline alerts and a budget holds, where the file does not say what they do', async (t) => {
  const of = (keys: string) => pipelineOf(`${keys}\ntasks:\n  a: { uses: Noop }`)
  t.strictSame((await of('deadline: { after: 8h }')).deadline, { after: 28_800_000, do: 'alert' })
  t.strictSame((await of('deadline: { after: 30m, do: fail }')).deadline, { after: 1_800_000, do: 'fail' })
  t.strictSame((await of('budget: { usd: 200 }')).budget, { usd: 200, gpuHours: null, onExceed: 'hold' })
  t.strictSame((await of('budget: { gpuHours: 0.5, onExceed: warn }')).budget, {
    usd: null,
    gpuHours: 0.5,
    onExceed: 'warn',
  })
  const plain = await of('owner: me')
  t.notOk('deadline' in plain || 'budget' in plain)
  t.strictSame(await errorsOf('budget: { onExceed: fail }\ntasks:\n  a: { uses: Noop }'), [
    'E112 `budget` needs `usd` or `gpuHours`',
  ])
  t.strictSame(await errorsOf('deadline: { after: 9999999999999999d }\ntasks:\n  a: { uses: Noop }'), [
    'E113 `after` is too long a duration',
  ])
})
