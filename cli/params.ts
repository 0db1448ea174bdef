/** Parameters from `--param name=value` words. Knows no command. */
import type { Json, JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { wrongOption } from './settings.ts'

/**
 * The pipeline's parameters with the given values, checked against their schemas. Throws usage errors.
 * @param before values of an earlier run, for those that are not given; what the pipeline no longer has is left out
 */
export async function paramsOf(
  pipeline: Pipeline,
  words: readonly string[] = [],
  before: JsonObject = {},
): Promise<JsonObject> {
  const kept = Object.entries(before).filter(([name]) => Object.hasOwn(pipeline.params, name))
  const given: { [name: string]: Json } = Object.fromEntries(kept)
  for (const word of words) {
    const at = word.indexOf('=')
    if (at <= 0)
      throw wrongOption(`--param ${word}: there is no name before a \`=\``, 'write --param name=value')
    given[word.slice(0, at)] = word.slice(at + 1)
  }
  const { resolveParams } = await import('../dsl/params.ts')
  return resolveParams(pipeline, given)
}
