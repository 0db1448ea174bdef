import t from 'tap'
import { parse } from 'yaml'
import { notYet } from '../../dsl/unsupported.ts'
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' }
import { compileYaml } from '../support/compiled.ts'
import { exampleOptions, examples, usedExamples } from '../support/examples.ts'

t.test('every example of the documentation compiles, without a warning', async (t) => {
  t.ok(examples.length > 20, `${examples.length} examples`)
  for (const { name, text } of examples) {
    const { problems } = await compileYaml(text, undefined, exampleOptions)
    t.strictSame(
      problems.map(({ line, code, message }) => `${line}: ${code} ${message}`),
      [],
      name,
    )
  }
})

type Mapping = { readonly [key: string]: Mapping }

t.test('every key of the file, of a schedule, of a task and of retry stands in an example', (t) => {
  const files = [...examples, ...usedExamples].map(({ text }) => parse(text) as Mapping)
  const tasks = files.flatMap((file) => Object.values(file.tasks ?? {}))
  const { $defs, properties } = pipelineSchema
  const levels: readonly [string, object, readonly (Mapping | undefined)[], readonly string[]][] = [
    ['file', properties, files, notYet.top],
    ['schedule', $defs.schedule.properties, files.map(({ schedule }) => schedule), []],
    ['task', $defs.task.properties, tasks, notYet.task],
    ['retry', $defs.retry.properties, tasks.map(({ retry }) => retry), []],
  ]
  for (const [level, keys, places, later] of levels)
    for (const key of Object.keys(keys)) {
      const shown = places.some((place) => place !== undefined && Object.hasOwn(place, key))
      t.equal(shown, !later.includes(key), `${level}: ${key}`)
    }
  t.end()
})
