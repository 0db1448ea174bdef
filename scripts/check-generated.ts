/** Fails when a generated file is not what the schemas and operators give today. `node schemas/generate.ts` makes it so. */
import { readFileSync } from 'node:fs'
import { builtin } from '../operators/catalogue.ts'
import { describe } from '../plugins/api.ts'
import { editorSchema, pipelineCheck, pipelineTypes } from '../schemas/generate.ts'

const operators = await Promise.all(Object.values(builtin).map(async (load) => describe(await load())))
const expected = {
  'pipeline.generated.ts': await pipelineTypes(),
  'pipeline.check.generated.js': pipelineCheck(),
  'pipeline.editor.schema.json': editorSchema(operators),
}
for (const [name, text] of Object.entries(expected)) {
  if (readFileSync(new URL(`../schemas/${name}`, import.meta.url), 'utf8') === text) continue
  console.error(`schemas/${name} is not what it is generated from; run \`node schemas/generate.ts\``)
  process.exitCode = 1
}
