/** What tests of data operators share: reading a dataset back, and a signal that stops an attempt half-way. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { JsonObject } from '../../plugins/api.ts'

/** The records of a dataset of JSON lines, in order. */
export function datasetRecords(dir: string, folder = 'out'): JsonObject[] {
  const { shards } = JSON.parse(readFileSync(join(dir, folder, 'manifest.json'), 'utf8'))
  return shards.flatMap(({ name }: { name: string }) =>
    readFileSync(join(dir, folder, name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  )
}

/** A signal that is aborted once it was looked at more than `looks` times: the loop looks a few times per batch. */
export function stoppedAfter(looks: number): AbortSignal {
  let left = looks
  const signal = {
    get aborted() {
      left -= 1
      return left < 0
    },
    reason: AbortSignal.abort().reason,
  }
  return signal as unknown as AbortSignal
}
