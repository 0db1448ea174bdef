/** Writes what is generated from the schemas: TypeScript types, and the schema for editors. Run: `node schemas/generate.ts`. */
import { writeFile } from 'node:fs/promises'
import { compile } from 'json-schema-to-typescript'
import pipelineSchema from './pipeline.schema.json' with { type: 'json' }

type Schema = Parameters<typeof compile>[0]

/** The text of pipeline.generated.ts. */
export async function pipelineTypes(): Promise<string> {
  return compile(structuredClone(pipelineSchema) as Schema, 'PipelineFile', {
    additionalProperties: true,
    bannerComment:
      '/** The pipeline file, as TypeScript sees it. Generated from pipeline.schema.json by generate.ts: do not edit. */',
    style: { semi: false, singleQuote: true, printWidth: 110 },
    unreachableDefinitions: false,
    unknownAny: true,
  })
}

if (import.meta.main) {
  await writeFile(new URL('pipeline.generated.ts', import.meta.url), await pipelineTypes())
}
