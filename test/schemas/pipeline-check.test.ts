import { globSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { compileSchema } from '../../dsl/json-schema.ts'
import { validate } from '../../schemas/pipeline.check.generated.js'
import schema from '../../schemas/pipeline.schema.json' with { type: 'json' }

const root = new URL('../..', import.meta.url).pathname
const whole = compileSchema(schema)
const agree = (value: unknown) => validate(value) === (whole(value).length === 0)

const good = {
  dagctl: 1,
  pipeline: 'p',
  schedule: { cron: '0 2 * * *', timezone: 'UTC' },
  defaults: { retry: { attempts: 4, delay: '2s' }, timeout: '1h' },
  tasks: { a: { run: './a.sh' }, b: { needs: ['a'], uses: 'Noop', with: { n: 1 }, trigger: 'all_done' } },
}

t.test('the generated check and ajv itself agree on our pipelines and on broken ones', (t) => {
  t.ok(validate(good))
  const files = globSync('{pipelines,test/golden}/**/*.yaml', { cwd: root })
  t.ok(files.length > 2, `${files.length} files`)
  for (const file of files) {
    let value: unknown
    try {
      value = parse(readFileSync(`${root}${file}`, 'utf8'), { maxAliasCount: 0, logLevel: 'silent' })
    } catch {
      continue // not YAML: no schema is asked
    }
    t.ok(agree(value), file)
  }
  t.end()
})

t.test('they agree on a good file with any one value replaced', (t) => {
  const paths = [...places(good)]
  const value = fc.oneof(fc.jsonValue(), fc.constantFrom('1h', '-1', 0, 1.5, [], {}, null, 'a b', ['a', 'a']))
  fc.assert(
    fc.property(fc.constantFrom(...paths), value, (path, replacement) =>
      agree(replaced(good, path, replacement)),
    ),
    { numRuns: 500 },
  )
  t.pass('500 replacements')
  t.end()
})

/** Every path into the value, and beside each key one that is not there. */
function* places(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, inside] of Object.entries(value)) yield* places(inside, [...path, key])
  yield [...path, 'unknown']
}

function replaced(value: unknown, [key, ...rest]: readonly string[], replacement: unknown): unknown {
  if (key === undefined) return replacement
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as { [key: string]: unknown }
  copy[key] = replaced(copy[key], rest, replacement)
  return copy
}
