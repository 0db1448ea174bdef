/** What a run is made with and what nobody could tell later: the version of dagctl, and where its operators come from. */
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { ownVersion } from './package.ts'

/** For a new run of the pipeline. Built-in operators are the package's: its version stands for their code. */
export function provenanceOf({ tasks }: Pick<Pipeline, 'tasks'>): JsonObject {
  const dagctl = ownVersion()
  const used = new Set<string>()
  for (const { uses, version, isGroup, recover } of tasks) {
    if (isGroup !== true) used.add(`${uses}@${version}`)
    for (const { fallback } of Object.values(recover ?? {}))
      if (fallback !== undefined) used.add(`${fallback.uses}@${fallback.version}`)
  }
  const operators = [...used].sort().map((name) => ({ name, from: `dagctl ${dagctl}` }))
  return { dagctl, operators }
}
