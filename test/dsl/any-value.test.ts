import fc from 'fast-check'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { compileYaml } from '../support/compiled.ts'
import { exampleOptions, examples } from '../support/examples.ts'

/** Every path into the value. */
function* places(value: unknown, path: readonly string[] = []): Generator<readonly string[]> {
  yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, inside] of Object.entries(value)) yield* places(inside, [...path, key])
}

function replaced(value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown {
  if (key === undefined) return by
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as { [key: string]: unknown }
  copy[key] = replaced(copy[key], rest, by)
  return copy
}

const texts = ['{{ item }}', '{{ item.a.b }}', '{{ half with.x }}', '{{ tasks.a.byKey.x }}', '{{ env }}', '']
const value = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(null, [], {}, [null], { a: [] }, { crash: null }, ...texts),
)

t.test('a documented file with any one value replaced either compiles or says what is wrong', async (t) => {
  const files = examples.map(({ text }) => parse(text) as unknown)
  const all = files.flatMap((file) => [...places(file)].map((path) => ({ file, path })))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all), value, async ({ file, path }, by) => {
      const text = stringify(replaced(file, path, by))
      const { pipeline, problems } = await compileYaml(`${text}# dagctl:`, undefined, exampleOptions)
      return (pipeline === null) === problems.some(({ severity }) => severity === 'error')
    }),
    { numRuns: 1000 },
  )
  t.pass('1000 replacements')
})
