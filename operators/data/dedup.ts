/**
 * The `Dedup` operator: of records with the same or nearly the same text keeps the first.
 *
 * The stages are functions of their own, so that they can be spread over shards: sketch each record (dedup/sketches.ts), bucket
 * the sketches and cluster what is similar (dedup/buckets.ts), list what goes (dedup/plan.ts), filter by the list (here).
 */
import { createHash } from 'node:crypto'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { defineOperator, type Json, succeeded, type TaskContext } from '../../plugins/api.ts'
import { type DedupOptions, findDuplicates, forgetSketches } from './dedup/find.ts'
import { Plan } from './dedup/plan.ts'
import { stageOf, standing } from './dedup/stages.ts'
import { keep, openSource, recordsInput, recordsOutput, reject, runRecords, type Source } from './records.ts'
import { outputFolder } from './records-place.ts'
import { fieldSchema, noText, requireText, textReader } from './text/field.ts'

/** Removes records that are the same as an earlier one, or nearly. */
export const dedup = defineOperator<DedupOptions>({
  name: 'Dedup',
  stage: 'data',
  summary: 'Removes records whose text is a copy, or nearly a copy, of an earlier one.',
  input: {
    type: 'object',
    properties: {
      ...recordsInput(),
      field: fieldSchema,
      method: {
        enum: ['near', 'exact'],
        default: 'near',
        description:
          '`exact`: the same text but for case, white space and Unicode form (NFKC). `near`: these, and texts that share most of ' +
          'their words in a row. What is connected by such pairs is one cluster, of which the first record stays.',
      },
      threshold: {
        type: 'number',
        minimum: 0.1,
        maximum: 1,
        default: 0.8,
        description:
          'For `near`: the Jaccard similarity of the sets of shingles from which on two texts are duplicates.',
      },
      shingleSize: {
        type: 'integer',
        minimum: 1,
        maximum: 100,
        default: 5,
        description: 'For `near`: words in a row that are compared as one.',
      },
      permutations: {
        type: 'integer',
        minimum: 16,
        maximum: 1024,
        default: 128,
        description:
          'For `near`: numbers in a signature. Memory is 4 bytes for each, times the different texts.',
      },
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: recordsOutput({
    duplicates: { type: 'integer', minimum: 0, description: 'Records removed as duplicates.' },
    clusters: { type: 'integer', minimum: 0, description: 'Records kept that had duplicates.' },
  }),
  example: 'unique: { uses: Dedup, with: { input: "{{ tasks.quality.outputs }}", threshold: 0.8 } }',
  async run(options, task) {
    const source = await openSource(task, options.input)
    const uris = source.files.map(({ uri }) => uri)
    await outputFolder(task, options.output, uris)
    await requireText(source, options.field)
    const identity = identityOf(options, source)
    const { plan, legacy } =
      (await formerPlan(task, identity)) ?? (await newPlan(task, source, options, identity))
    const text = textReader(options.field)
    const { outputs } = await runRecords(stageOf(task, 'filter', { identity, legacy }), {
      options,
      source,
      transform(record, { index }) {
        if (text(record) === null) return reject(noText, `\`${options.field}\` is missing or no text`)
        const kept = plan.keptFor(index)
        if (kept === null) return keep
        const at = `${source.files[kept.file]?.name}, line ${kept.line}`
        return reject(kept.exact ? 'duplicate' : 'near_duplicate', `of ${at}`)
      },
    })
    await rm(planPath(task), { force: true })
    return succeeded({ ...outputs, duplicates: plan.removed, clusters: plan.clusters })
  },
})

/** What decides the plan: another input or other options make another one. */
function identityOf(options: DedupOptions, source: Source): string {
  const { field, method, threshold, shingleSize, permutations, maxLine } = options
  const files = source.files.map(({ name, size }) => [name, size])
  const parts = [field, method, threshold, shingleSize, permutations, maxLine, files]
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}

/** A plan, and what a checkpoint must hold to find it again. */
interface StoredPlan {
  readonly plan: Plan
  readonly legacy: Json
}

function planPath(task: TaskContext): string {
  return join(task.artifacts, 'plan.bin')
}

async function newPlan(
  task: TaskContext,
  source: Source,
  options: DedupOptions,
  identity: string,
): Promise<StoredPlan> {
  const plan = await findDuplicates(task, source, options, identity)
  const writer = await task.objects.put(planPath(task))
  await writer.write(plan.bytes())
  const { sha256 } = await writer.commit()
  const legacy = { path: planPath(task), sha256 }
  await stageOf(task, 'filter', { identity, legacy }).checkpoint.save(0, null)
  await forgetSketches(task)
  return { plan, legacy }
}

/** The plan of an attempt that had one; null where there is none, or it cannot be read. */
async function formerPlan(task: TaskContext, identity: string): Promise<StoredPlan | null> {
  const found = await standing(task, identity)
  if (found?.stage !== 'filter') return null
  const { path, sha256 } = found.legacy as { path: string; sha256: string }
  try {
    const bytes = await readFile(path)
    if (createHash('sha256').update(bytes).digest('hex') !== sha256) throw new Error('its bytes were altered')
    task.log.info('the duplicates are known from an earlier attempt')
    return { plan: Plan.parse(bytes), legacy: found.legacy }
  } catch (error) {
    task.log.warn(
      `the list of duplicates of an earlier attempt cannot be used; looking again: ${(error as Error).message}`,
    )
    return null
  }
}
