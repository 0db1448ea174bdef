/** Parameters from `--param name=value` words. Knows no command. */
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { wrongOption } from './settings.ts'

/** The pipeline's parameters with the given values, checked against their schemas. Throws usage errors. */
export async function paramsOf(pipeline: Pipeline, words: readonly string[] = []): Promise<JsonObject> {
  const given: { [name: string]: string } = {}
  for (const word of words) {
    const at = word.indexOf('=')
    if (at <= 0)
      throw wrongOption(`--param ${word}: there is no name before a \`=\``, 'write --param name=value')
    given[word.slice(0, at)] = word.slice(at + 1)
  }
  const { resolveParams } = await import('../dsl/params.ts')
  return resolveParams(pipeline, given)
}
