/** What operators in the engine's process may ask of it: runs of other pipelines, and news of datasets. Over store and engine. */
import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { isFile } from '../dsl/source.ts'
import type { Engine } from '../engine/engine.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { isEnded } from '../engine/state.ts'
import type { RunRecord } from '../engine/store/records.ts'
import type { Store } from '../engine/store/store.ts'
import {
  type EngineServices,
  OperatorFailure,
  type PipelineOrder,
  type TriggeredRun,
} from '../plugins/api.ts'
import { checkFile, type Found } from './pipelines.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** How many runs may each have triggered the next: the first by a person or a schedule, then ten. */
export const deepest = 10

/** What the services work over. The engine is asked for late: it is made with what they are part of. */
export interface ServiceParts {
  readonly settings: Settings
  readonly store: Store
  readonly engine: () => Engine
  readonly terminal: Terminal
}

/** The services of one engine. */
export function servicesOf(parts: ServiceParts): EngineServices {
  return {
    pipelines: {
      trigger: (order) => classified(() => trigger(order, parts)),
      run: (id) => classified(() => look(id, parts)),
    },
    datasets: {
      updates: (uris, since) =>
        classified(async () => {
          const wanted = new Set(uris)
          const newest = await parts.store.datasets()
          return newest.filter(({ uri, at }) => wanted.has(uri) && at >= since)
        }),
    },
  }
}

/** Errors as operators may throw them. What a person can mend in the file is `invalid_input`, the rest may pass. */
async function classified<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DagctlError)) throw error
    const kind = error.kind === 'usage' || error.kind === 'invalid' ? 'invalid_input' : 'crash'
    const hint = error.hint === undefined ? '' : `; ${error.hint}`
    throw new OperatorFailure(kind, `${error.message}${hint}`, { cause: error })
  }
}

async function trigger(order: PipelineOrder, parts: ServiceParts): Promise<string> {
  const { store, engine } = parts
  const { origin } = order
  // Asked before anything that may have changed since: what was made stays made.
  const [made] = await store.runs({ origin, limit: 1 })
  const record = made ?? (await make(order, parts))
  if (!isEnded(record.state)) await engine().adopt(record.id)
  return record.id
}

async function make(order: PipelineOrder, parts: ServiceParts): Promise<RunRecord> {
  const { store, engine } = parts
  const { interval, origin } = order
  if (!(interval.start <= interval.end))
    throw new OperatorFailure('invalid_input', 'the interval ends before it starts')
  const { pipeline, folder } = await find(order, parts)
  const { resolveParams } = await import('../dsl/params.ts')
  const params = resolveParams(pipeline, order.params, () => 'give it in `with.params`')
  const line = await lineOf(order.by, store)
  refuseCircle({ pipeline: pipeline.name, params, interval }, line)
  if (order.wait) await refuseOwnPlace(pipeline, line, store)
  const omit = (await leavesDeployOut(line, store))
    ? pipeline.tasks.flatMap(({ effects }, index) => (effects === 'deploy' ? [index] : []))
    : []
  return engine().create({
    pipeline,
    folder,
    params,
    trigger: 'pipeline',
    interval,
    backfill: null,
    origin,
    omit,
  })
}

async function find({ pipeline: word, folder }: PipelineOrder, parts: ServiceParts): Promise<Found> {
  if (isFile(word)) {
    const file = resolve(folder, word)
    const { pipeline, problems } = await checkFile(
      file,
      { ...parts.terminal, cwd: folder },
      false,
      parts.settings.installation,
    )
    const wrong = problems.find(({ severity }) => severity === 'error')
    if (pipeline !== null && wrong === undefined) return { pipeline, folder: resolve(file, '..') }
    const why = wrong === undefined ? '' : `: line ${wrong.line}: ${wrong.message}`
    throw new OperatorFailure(
      'invalid_input',
      `${word} is not a valid pipeline${why}; see \`dagctl validate\``,
    )
  }
  const known = await parts.store.latest(word)
  if (known !== null) return known
  throw new OperatorFailure(
    'invalid_input',
    `no pipeline \`${word}\` has run or is scheduled here; a file is named by a path: ./${word}.yaml`,
  )
}

/** The run that asks and those that led to it, the nearest first: each was made by a task of the next. */
async function lineOf(run: string, store: Store): Promise<readonly RunRecord[]> {
  const line: RunRecord[] = []
  for (let id: string | undefined = run; id !== undefined && line.length <= deepest; ) {
    const record: RunRecord | null = await store.run(id)
    if (record === null) break
    line.push(record)
    id = /^task:([^/]+)\//.exec(record.origin ?? '')?.[1]
  }
  return line
}

/** A run that leads to its own like, or too long a line of them, would never come to an end. */
function refuseCircle(
  wanted: Pick<RunRecord, 'pipeline' | 'params' | 'interval'>,
  line: readonly RunRecord[],
): void {
  const same = line.find(
    ({ pipeline, params, interval }) =>
      pipeline === wanted.pipeline &&
      isDeepStrictEqual(params, wanted.params) &&
      isDeepStrictEqual(interval, wanted.interval),
  )
  const path = [wanted.pipeline, ...line.map(({ pipeline }) => pipeline)].reverse().join(' -> ')
  if (same !== undefined)
    throw new OperatorFailure(
      'invalid_input',
      `${path}: pipeline ${wanted.pipeline} would trigger itself with the same parameters and interval (run ${same.id})`,
    )
  if (line.length > deepest)
    throw new OperatorFailure(
      'invalid_input',
      `${path}: more than ${deepest} runs have triggered each other; does the line ever end?`,
    )
}

/** A run that waits for a place which only those that wait for it would free would never start. */
async function refuseOwnPlace(
  { name, concurrency: { runs: limit } }: Pipeline,
  line: readonly RunRecord[],
  store: Store,
): Promise<void> {
  if (limit === null) return
  const waiting: string[] = []
  for (const [place, { id, pipeline, backfill }] of line.entries()) {
    const below = line[place - 1]?.id
    const waits =
      below === undefined || (await store.tasks(id)).some(({ wakeOn }) => wakeOn?.runs?.includes(below))
    if (!waits) break
    if (pipeline === name && backfill === null) waiting.push(id)
  }
  if (waiting.length < limit) return
  throw new OperatorFailure(
    'invalid_input',
    `a run of ${name} would never start: \`concurrency.runs: ${limit}\` is used up by ${waiting.join(', ')}, which would wait for it; set \`wait: false\`, or allow more runs`,
  )
}

/** What a backfill leaves out, its tasks do not bring in by another pipeline. */
async function leavesDeployOut(line: readonly RunRecord[], store: Store): Promise<boolean> {
  for (const { backfill } of line) {
    if (backfill === null) continue
    const [found] = await store.backfills({ id: backfill })
    if (found?.includeDeploy !== true) return true
  }
  return false
}

async function look(id: string, { store, engine }: ServiceParts): Promise<TriggeredRun | null> {
  const record = await store.run(id)
  if (record === null) return null
  const { pipeline, state } = record
  if (isEnded(state)) return { id, pipeline, state, outputs: await outputsOf(record, store) }
  await engine().adopt(id)
  return { id, pipeline, state, outputs: {} }
}

async function outputsOf(
  { id, version }: RunRecord,
  store: Store,
): Promise<{ readonly [task: string]: Json }> {
  const { tasks } = (await store.pipeline(version)) as Pipeline
  const outputs: { [task: string]: Json } = {}
  for (const { task, key, parent, outputs: of } of await store.tasks(id)) {
    const name = tasks[task]?.id
    if (parent === null && key === null && of !== null && name !== undefined) outputs[name] = of
  }
  return outputs satisfies JsonObject
}
