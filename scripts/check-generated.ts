/** Fails when a generated file is not what its schema gives today. Run `node schemas/generate.ts` to make it so. */
import { readFileSync } from 'node:fs'
import { pipelineTypes } from '../schemas/generate.ts'

const file = new URL('../schemas/pipeline.generated.ts', import.meta.url)
if (readFileSync(file, 'utf8') !== (await pipelineTypes())) {
  console.error(
    'schemas/pipeline.generated.ts is not what pipeline.schema.json gives; run `node schemas/generate.ts`',
  )
  process.exitCode = 1
}
