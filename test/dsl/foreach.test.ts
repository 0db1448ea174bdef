import t from 'tap'
import type { Task } from '../../engine/pipeline.ts'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { errorsOf, pipelineOf, warningsOf } from '../support/compiled.ts'

const catalogue = catalogueWith(
  operator({
    name: 'Ingest',
    output: {
      type: 'object',
      additionalProperties: false,
      $defs: {
        shard: {
          type: 'object',
          additionalProperties: false,
          properties: { uri: { type: 'string' }, rows: { type: 'integer' } },
        },
      },
      properties: {
        shards: { type: 'array', items: { $ref: '#/$defs/shard' } },
        rows: { type: 'integer' },
      },
    },
  }),
  operator({
    name: 'Mask',
    input: {
      type: 'object',
      additionalProperties: false,
      properties: { input: { type: 'string' }, seed: { type: 'integer' }, level: { enum: ['low', 'high'] } },
    },
    output: {
      type: 'object',
      additionalProperties: false,
      properties: { uri: { type: 'string' }, kept: { type: 'integer' } },
    },
  }),
  operator({
    name: 'Pack',
    input: {
      type: 'object',
      properties: { parts: { type: 'array', items: { type: 'object' } }, text: { type: 'string' } },
    },
  }),
)
const errors = (yaml: string) => errorsOf(yaml, catalogue)
const ingest = '  ingest: { uses: Ingest }\n'
const mask = `${ingest}  mask: { foreach: "{{ tasks.ingest.outputs.shards }}", uses: Mask, with: { input: "{{ item.uri }}" } }\n`
async function taskOf(yaml: string, id: string): Promise<Task> {
  const { tasks } = await pipelineOf(yaml, catalogue)
  return tasks.find((task) => task.id === id) as Task
}

t.test('a mapped task has its items, its key and its limit, and needs what they mention', async (t) => {
  const yaml = `${ingest}  keys: { uses: Noop }
  mask:
    foreach: "{{ tasks.ingest.outputs.shards }}"
    key: "{{ tasks.keys.outputs.prefix }}-{{ item.rows }}"
    maxParallel: 8
    uses: Mask
    with: { input: "{{ item.uri }}", seed: "{{ index }}" }`
  const task = await taskOf(yaml, 'mask')
  t.strictSame(task.foreach, {
    items: '{{ tasks.ingest.outputs.shards }}',
    key: '{{ tasks.keys.outputs.prefix }}-{{ item.rows }}',
    maxParallel: 8,
    whenEach: false,
  })
  t.strictSame(task.needs, [0, 1])
  t.notOk('foreach' in (await taskOf(ingest, 'ingest')), 'a task without `foreach` has none')
})

t.test('`when` with an item or an index is decided for each instance, any other once', async (t) => {
  const each = ['item.rows > 0', 'index < 3', 'has(item.uri)', 'run.id != "" && item != null']
  for (const when of each) {
    const yaml = `${ingest}  m: { foreach: "{{ tasks.ingest.outputs.shards }}", when: '${when}', uses: Noop }`
    t.equal((await taskOf(yaml, 'm')).foreach?.whenEach, true, when)
  }
  const once = ['run.id != ""', '[1, 2].all(item, item > 0)']
  for (const when of once) {
    const yaml = `  m: { foreach: [1], when: '${when}', uses: Noop }`
    t.equal((await taskOf(yaml, 'm')).foreach?.whenEach, false, when)
  }
})

t.test('an item has the type that its list gives it', async (t) => {
  const good = [
    'foreach: [1, 2], uses: Mask, with: { seed: "{{ item }}" }',
    'foreach: { seed: [1, 2], text: [a, b] }, uses: Mask, with: { seed: "{{ item.seed }}", input: "{{ item.text }}" }',
    'foreach: { part: "{{ tasks.ingest.outputs.shards }}" }, uses: Mask, with: { seed: "{{ item.part.rows }}" }',
    'foreach: [{ n: 1 }, { n: 2, extra: x }], uses: Mask, with: { seed: "{{ item.n }}", input: "{{ default item.extra \'none\' }}" }',
    'foreach: ["{{ tasks.ingest.outputs.rows }}"], uses: Mask, with: { seed: "{{ item }}" }',
    'foreach: [low, high], uses: Mask, with: { level: "{{ item }}" }',
    'foreach: [], uses: Mask, with: { seed: "{{ item.anything }}" }',
    'foreach: "{{ params.list }}", uses: Mask, with: { seed: "{{ item }}" }',
  ]
  const head = 'params: { list: { type: array, items: { type: integer }, default: [] } }\ntasks:\n'
  for (const task of good) t.strictSame(await errors(`${head}${ingest}  m: { ${task} }`), [], task)
  const bad: readonly [string, string][] = [
    [
      'foreach: [a], uses: Mask, with: { seed: "{{ item }}" }',
      'E129 `seed` must be an integer, not a string',
    ],
    [
      'foreach: [1, 2.5], uses: Mask, with: { seed: "{{ item }}" }',
      'E129 `seed` must be an integer, not a number',
    ],
    ['foreach: [low, hihg], uses: Mask, with: { level: "{{ item }}" }', 'E129 `level` may become `hihg`'],
    [
      'foreach: "{{ tasks.ingest.outputs.shards }}", uses: Mask, with: { input: "{{ item.url }}" }',
      'E122 `item` has no `url`',
    ],
    ['foreach: { a: [1] }, uses: Mask, with: { seed: "{{ item.b }}" }', 'E122 `item` has no `b`'],
    ['foreach: [a, b], when: item == "c", uses: Noop', 'E134 `item` is never `c`'],
    ['foreach: [a, b], when: item > 1, uses: Noop', 'E134 `>` does not work between string and int'],
    [
      'foreach: "{{ tasks.ingest.outputs.rows }}", uses: Noop',
      'E129 `foreach` must be a list, not an integer',
    ],
  ]
  for (const [task, error] of bad) t.strictSame(await errors(`${ingest}  m: { ${task} }`), [error], task)
})

t.test('all outputs of a mapped task are a list, whole or by key', async (t) => {
  const good = [
    'uses: Pack, with: { parts: "{{ tasks.mask.outputs }}" }',
    'uses: Pack, with: { text: "{{ json tasks.mask.byKey }}" }',
    'uses: Noop, when: "tasks.mask.outputs.exists(o, o != null && o.kept > 3)"',
    'uses: Noop, when: "size(tasks.mask.outputs) > 0"',
    'uses: Noop, when: tasks.mask.state == "succeeded"',
  ]
  for (const task of good) t.strictSame(await errors(`${mask}  next: { ${task} }`), [], task)
  t.strictSame(await errors(`${mask}  next: { uses: Pack, with: { text: "{{ tasks.mask.outputs }}" } }`), [
    'E129 `text` must be a string, not a list of objects and nulls',
  ])
  t.strictSame((await taskOf(`${mask}  next: { ${good[0]} }`, 'next')).needs, [1])
})

t.test('the outputs of one instance may be null, and are used with a default or a guard', async (t) => {
  const good = [
    'run: "ls {{ default tasks.mask.outputs.[0].uri \'none\' }}"',
    'run: "ls {{ default tasks.mask.byKey.de.uri \'none\' }}"',
    'uses: Noop, when: "tasks.mask.outputs[0] != null && tasks.mask.outputs[0].kept > 3"',
    'uses: Noop, when: "has(tasks.mask.byKey.de.uri) && tasks.mask.byKey.de.uri == \'x\'"',
    "uses: Noop, when: \"tasks.mask.byKey['d-e'] == null || tasks.mask.byKey['d-e'].kept > 3\"",
  ]
  for (const task of good) t.strictSame(await errors(`${mask}  next: { ${task} }`), [], task)
  const bad = [
    'run: "ls {{ tasks.mask.outputs.[0].uri }}"',
    'run: "ls {{ tasks.mask.byKey.de.uri }}"',
    'uses: Noop, when: "tasks.mask.outputs[0].kept > 3"',
    'uses: Noop, when: "tasks.mask.outputs[1] != null && tasks.mask.outputs[0].kept > 3"',
    'uses: Noop, when: "tasks.mask.outputs != null && tasks.mask.outputs[0].kept > 3"',
  ]
  for (const task of bad) t.match(await errors(`${mask}  next: { ${task} }`), [/^E123 /], task)
  const slips = [
    'run: "ls {{ default tasks.mask.outputs.[0].url 1 }}"',
    'run: "ls {{ default tasks.mask.byKey.a.url 1 }}"',
  ]
  for (const task of slips)
    t.match(await errors(`${mask}  next: { ${task} }`), [/^E120 unknown output `url`/], task)
})

t.test('a gate of a mapped task sees the outputs of its own instance', async (t) => {
  const gate = (expression: string) =>
    errors(`  m: { foreach: [a], uses: Mask, with: { input: x }, gate: ['${expression}'] }`)
  t.strictSame(await gate('outputs.kept > 3 && item == "a" && index == 0'), [])
  t.match(await gate('outputs.kpt > 3'), [/^E120/])
})

t.test(
  'of what a null item leads to nothing is said before the run: `when` skips such instances',
  async (t) => {
    const next =
      'next: { foreach: "{{ tasks.mask.outputs }}", when: item != null, uses: Mask, with: { input: "{{ item.uri }}" } }'
    t.strictSame(await errors(`${mask}  ${next}`), [])
    t.equal((await taskOf(`${mask}  ${next}`, 'next')).foreach?.whenEach, true)
  },
)

t.test('integers of items are integers to CEL', async (t) => {
  const yaml = `${ingest}  m: { foreach: "{{ tasks.ingest.outputs.shards }}", when: item.rows + index > 3, uses: Noop }`
  t.strictSame((await taskOf(yaml, 'm')).integers, ['/item/rows', '/index'])
})

t.test('two written items that would have the same key are found', async (t) => {
  const twins = (first: number, second: number, key: string) => [
    `E113 items ${first} and ${second} have the same key \`${key}\``,
  ]
  for (const [foreach, key, found] of [
    ['[x, y, x]', '{{ item }}', twins(0, 2, 'x')],
    ['[{ n: 1 }, { n: 1 }]', 'of-{{ item.n }}', twins(0, 1, 'of-1')],
    ['{ lang: [en, de], size: [1, 2] }', '{{ item.lang }}', twins(0, 1, 'en')],
    ['{ lang: [en, de], size: [1, 2] }', '{{ item.lang }}-{{ item.size }}', []],
    ['[x, y, x]', '{{ item }}-{{ index }}', []],
    ['[x, "{{ tasks.ingest.outputs.rows }}"]', 'of-{{ item }}', []],
    ['[x, x]', '{{ item }}-{{ tasks.ingest.outputs.rows }}', []],
  ] as const)
    t.strictSame(
      await errors(`${ingest}  m: { foreach: ${foreach}, key: "${key}", uses: Noop }`),
      found,
      `${key} of ${foreach}`,
    )
})

t.test('ten thousand written items are typed as one is', async (t) => {
  const items = Array.from({ length: 10_000 }, (_, index) => `{ n: ${index}, name: s${index} }`).join(', ')
  t.strictSame(
    await errors(
      `  m: { foreach: [${items}], uses: Mask, with: { seed: "{{ item.n }}", input: "{{ item.name }}" } }`,
    ),
    [],
  )
  t.strictSame(await warningsOf('  m: { foreach: [1], uses: Noop }'), [])
})
