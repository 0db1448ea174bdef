import t from 'tap'
import { notYet } from '../../dsl/unsupported.ts'
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' }
import { errorsOf } from '../support/compiled.ts'

const { task } = pipelineSchema.$defs

t.test('what is not supported yet is a key that the format has', async (t) => {
  for (const key of notYet.top) t.ok(Object.hasOwn(pipelineSchema.properties, key), key)
  for (const key of notYet.task) t.ok(Object.hasOwn(task.properties, key), key)
})

const values: { readonly [key: string]: string } = {
  queue: 'q',
  checkpoint: '{ keep: 1 }',
}

t.test('each key of the table is refused by name, although its value is right', async (t) => {
  for (const key of notYet.top)
    t.strictSame(await errorsOf(`${key}: ${values[key]}\ntasks:\n  a: { uses: Noop }`), [
      `E115 \`${key}\` is not supported yet`,
    ])
  for (const key of notYet.task)
    t.strictSame(await errorsOf(`  a: { uses: Noop, ${key}: ${values[key]} }`), [
      `E115 \`${key}\` is not supported yet`,
    ])
  for (const runtime of ['docker', '{ docker: { image: x, gpus: 1, memory: 80GiB } }'])
    t.strictSame(await errorsOf(`  a: { run: ls, runtime: ${runtime} }`), [
      'E115 the runtime `docker` is not supported yet',
    ])
  t.strictSame(await errorsOf('  a: { run: ls, recover: { oom: { runtime: docker } } }'), [
    'E115 the runtime `docker` is not supported yet',
  ])
})

t.test('each name of the table is refused in templates and expressions', async (t) => {
  for (const name of Object.keys(notYet.names)) {
    t.strictSame(await errorsOf(`  a: { run: "ls {{ ${name}.x }}" }`), [
      `E115 \`${name}\` is not supported yet`,
    ])
    t.strictSame(await errorsOf(`  a: { run: ls, when: "${name}.x == 1" }`), [
      `E115 \`${name}\` is not supported yet`,
    ])
  }
})

t.test('every other key of a task does something', async (t) => {
  const rest = Object.keys(task.properties).filter((key) => !(notYet.task as readonly string[]).includes(key))
  t.strictSame(rest.sort(), [
    'cache',
    'description',
    'effects',
    'env',
    'foreach',
    'gate',
    'key',
    'maxParallel',
    'needs',
    'pool',
    'preemptible',
    'priority',
    'produces',
    'recover',
    'retry',
    'run',
    'runtime',
    'slots',
    'timeout',
    'trigger',
    'use',
    'uses',
    'when',
    'with',
  ])
})
