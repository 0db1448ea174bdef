/** The first half of `Dedup`: reads all records and finds which of them go. Knows nothing of how the result is written. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Json, OperatorFailure, parseSize, type TaskContext } from '../../../plugins/api.ts'
import type { RecordsInput, Source } from '../records.ts'
import { streamRecords } from '../records-stream.ts'
import { textReader } from '../text/field.ts'
import { bandingFor } from './bands.ts'
import { Buckets } from './buckets.ts'
import { Clusters } from './clusters.ts'
import { Plan } from './plan.ts'
import { ShingleFile } from './shingle-file.ts'
import { jaccard } from './shingles.ts'
import { Sketches } from './sketches.ts'
import { stageOf } from './stages.ts'

/** What decides which records are duplicates. */
export interface DedupOptions extends RecordsInput {
  readonly field: string
  readonly method: 'exact' | 'near'
  readonly threshold: number
  readonly permutations: number
  readonly shingleSize: number
}

const folder = 'sketches'

/** Finds the records that go. Throws an OperatorFailure (`crash`) when the task is asked to stop. */
export async function findDuplicates(
  task: TaskContext,
  source: Source,
  options: DedupOptions,
  identity: string,
): Promise<Plan> {
  const { method, permutations, shingleSize, checkpointEvery, maxLine } = options
  const near = method === 'near' ? { permutations, shingleSize } : null
  return streamRecords(stageOf(task, 'sketch', { identity, legacy: null, folder }), {
    source,
    identity: identity as Json,
    checkpointEvery,
    maxLine: parseSize(maxLine),
    open: (at) => new Sketches(at, { near, text: textReader(options.field) }),
    finish: async (sketches) => {
      await sketches.finish()
      const clusters = new Clusters(sketches.texts.count)
      if (sketches.shingleFile !== null) await joinSimilar(task, sketches, clusters, options)
      return Plan.of(sketches.records, sketches.texts, clusters)
    },
  })
}

/** Removes what `findDuplicates` left on the disk, once its plan is safe. */
export async function forgetSketches(task: TaskContext): Promise<void> {
  await rm(join(task.artifacts, folder), { recursive: true, force: true })
}

async function joinSimilar(
  task: TaskContext,
  sketches: Sketches,
  clusters: Clusters,
  { threshold, permutations }: DedupOptions,
): Promise<void> {
  const { texts, shingleFile } = sketches
  const file = new ShingleFile(shingleFile as string, texts)
  try {
    const banding = bandingFor(threshold, permutations)
    const similar = (a: number, b: number) => jaccard(file.set(a), file.set(b)) >= threshold
    const buckets = new Buckets(texts, banding, clusters, { threshold, similar })
    for (let band = 0; band < banding.bands; band++) {
      for (const done of buckets.band(band)) {
        task.progress(band * texts.count + done, banding.bands * texts.count, 'comparisons')
        await breathe(task)
      }
    }
  } finally {
    file.close()
  }
}

/** Lets other work of the process go on, and stops where that is asked for. */
async function breathe(task: TaskContext): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
  if (task.signal.aborted) throw new OperatorFailure('crash', 'asked to stop while comparing texts')
}
