import fc from 'fast-check'
import t from 'tap'
import { stringify } from 'yaml'
import { versionOf } from '../../dsl/version.ts'
import { pipelineOf } from '../support/compiled.ts'

t.test('comments, layout and the order of keys do not change a version; any value does', async (t) => {
  const version = async (yaml: string) => (await pipelineOf(yaml)).version
  const one = await version(
    'dagctl: 1\npipeline: p\ntasks:\n  a: { uses: Noop, timeout: 1m }\n  b: { uses: Noop }\n',
  )
  t.equal(
    await version(
      '# why\ntasks:\n  a:\n    timeout: "1m"\n    uses: Noop # here\n  b: { uses: Noop }\npipeline: p\ndagctl: 1.0\n',
    ),
    one,
  )
  t.not(
    await version('dagctl: 1\npipeline: p\ntasks:\n  a: { uses: Noop, timeout: 60s }\n  b: { uses: Noop }\n'),
    one,
  )
})

t.test('the version is the SHA-256 of canonical JSON as RFC 8785 has it', async (t) => {
  // sha256 of {"a":[1,1e+30,"€"],"b":null}
  const { createHash } = await import('node:crypto')
  const expected = createHash('sha256').update('{"a":[1,1e+30,"€"],"b":null}').digest('hex')
  t.equal(versionOf({ b: null, a: [1, 1e30, '€'] }), expected)
})

t.test('whatever the value, its keys in another order are the same version', async () => {
  const shuffled = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(shuffled)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(
      Object.entries(value)
        .reverse()
        .map(([key, item]) => [key, shuffled(item)]),
    )
  }
  const key = fc.string().filter((name) => name !== '__proto__')
  const { tree } = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
    ),
  }))
  fc.assert(fc.property(tree, (value) => versionOf(value) === versionOf(shuffled(value))))
})

t.test('a file written in block style and in flow style is the same version', async (t) => {
  const file = {
    dagctl: 1,
    pipeline: 'p',
    tasks: { a: { uses: 'Noop', with: { outputs: { n: [1, 'x'] } } } },
  }
  const [block, flow] = [stringify(file), stringify(file, { collectionStyle: 'flow' })]
  t.not(block, flow)
  t.equal((await pipelineOf(block)).version, (await pipelineOf(flow)).version)
})
