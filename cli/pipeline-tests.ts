/** Plays the cases of one file of tests, and says of each what does not hold. Prints nothing. */
import { basename, dirname, join } from 'node:path'
import type { Tests } from '../dsl/pipeline-tests.ts'
import type { CheckedCase } from '../dsl/pipeline-tests-case.ts'
import type { Path } from '../dsl/positions.ts'
import type { Problem } from '../dsl/problems.ts'
import { DagctlError } from '../engine/errors.ts'
import type { JsonObject } from '../engine/json.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { type Resources, unlimited } from '../engine/resources.ts'
import type { TestCase } from '../schemas/pipeline-tests.generated.ts'
import type { Answers } from '../simulation/outside.ts'
import type { Scene } from '../simulation/play.ts'
import type { Played } from '../simulation/played.ts'
import { type Checked, checkFile, readWhole } from './pipelines.ts'
import { wrongOption } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** How names of files of tests end. */
export const suffix = '.test.yaml'

/** A case as it went. */
export interface CaseResult {
  readonly name: string
  readonly ok: boolean
  /** Runs that were played. */
  readonly runs: number
  /** Virtual milliseconds of the longest of them. */
  readonly duration: number
  readonly problems: readonly Problem[]
  /** The run that is not as expected. */
  readonly failed: Played | null
}

/** A file of tests as it went. */
export interface FileResult {
  readonly file: string
  /** The name of the pipeline; null where it does not compile. */
  readonly pipeline: string | null
  /** What is wrong with the file, or with the pipeline: then nothing is played. */
  readonly problems: readonly Problem[]
  readonly cases: readonly CaseResult[]
  /** The text of each file that problems are in. */
  readonly sources: { readonly [file: string]: string }
}

/** How a file is played. */
export interface PlayOptions {
  /** Only cases whose name has this in it. */
  readonly only: string | null
  readonly seed: number
}

/** Checks a file and plays its cases. Throws usage errors where it cannot be read. */
export async function playFile(file: string, terminal: Terminal, options: PlayOptions): Promise<FileResult> {
  const [{ readTests, checkTests, problemAt }, { catalogue }] = await Promise.all([
    import('../dsl/pipeline-tests.ts'),
    import('./catalogue.ts'),
  ])
  const own = ownPipeline(file)
  const bytes = await readWhole(file, terminal.cwd, 'a file of tests')
  const tests = readTests({ text: bytes, file })
  const sources: { [file: string]: string } = { [file]: textOf(bytes) }
  const notPlayed = (problems: readonly Problem[], pipeline: string | null): FileResult => {
    return { file, pipeline, problems, cases: [], sources }
  }
  if (tests.file === null) return notPlayed(tests.problems, null)
  const path = join(dirname(file), tests.file.tests ?? own)
  // Whatever a case gives may be read: how an installation is set up is no matter of the pipeline.
  const env = Object.values(tests.file.cases).flatMap((one) => Object.keys(one.env ?? {}))
  const compiled = await usable(() => checkFile(path, terminal, false, { resources: unlimited, env }), path)
  if ('why' in compiled) {
    const at: Path = tests.file.tests === undefined ? [] : ['tests']
    const hint = at.length > 0 ? null : 'name the pipeline by `tests:`'
    return notPlayed([problemAt(tests, at, { code: 'E180', message: compiled.why, hint })], null)
  }
  sources[path] = textOf(compiled.bytes)
  for (const { file: used, text } of compiled.used) sources[used] = text
  const { pipeline } = compiled
  if (pipeline === null) return notPlayed(compiled.problems, compiled.name)
  const { cases, problems } = await checkTests({ ...tests, file: tests.file }, pipeline, catalogue)
  if (cases === null) return notPlayed(problems, pipeline.name)
  const chosen = cases.filter(({ name }) => options.only === null || name.includes(options.only))
  const player = await playerOf(pipeline, tests, options.seed)
  const results: CaseResult[] = []
  for (const one of chosen) results.push(await player(one))
  return { file, pipeline: pipeline.name, problems: [], cases: results, sources }
}

/** The file whose tests are to be played, or why it cannot be. */
async function usable(
  check: () => Promise<Checked>,
  path: string,
): Promise<Checked | { readonly why: string }> {
  try {
    const checked = await check()
    if (!checked.forUse) return checked
    return { why: `${path} has inputs or outputs: it is made to be used by other files` }
  } catch (error) {
    if (!(error instanceof DagctlError) || error.kind !== 'usage') throw error
    return { why: error.message }
  }
}

/** The pipeline file, `NAME.yaml` of `NAME.test.yaml` unless the file names another. Throws where it is no file of tests. */
function ownPipeline(file: string): string {
  const name = basename(file)
  if (name.endsWith(suffix)) return `${name.slice(0, -suffix.length)}.yaml`
  throw wrongOption(
    `${file} is no file of tests: their names end in ${suffix}`,
    `the tests of ${name} are ${name.replace(/\.yaml$/, '')}${suffix}`,
  )
}

/** What plays one case of the file. */
async function playerOf(
  pipeline: Pipeline,
  tests: Tests,
  seed: number,
): Promise<(one: CheckedCase) => Promise<CaseResult>> {
  const [{ makeCast, rehearse }, { openMemory, play }, { unmet }, { explain }, { problemAt }] =
    await Promise.all([
      import('./cast.ts'),
      import('../simulation/play.ts'),
      import('../simulation/expectations.ts'),
      import('../dsl/explain.ts'),
      import('../dsl/pipeline-tests.ts'),
    ])
  const cast = makeCast()
  await rehearse(cast, pipeline)
  const problemsOf = ({ path, raw, integers }: CheckedCase, played: Played): readonly Problem[] => {
    const { stuck, missed } = played
    if (stuck !== null) {
      const message = `the run does not end: ${stuck.why}`
      return [problemAt(tests, path, { code: 'E191', message, hint: stuck.waits.join('; '), atKey: true })]
    }
    const unmetOutside = missed.map((one) =>
      problemAt(tests, [...path, ...one.path], { code: 'E192', message: `this meets nothing: ${one.why}` }),
    )
    const judges = { evaluator: cast.evaluator, integers, explain }
    const expected = unmet(raw.expect ?? {}, played, judges).map((one) =>
      problemAt(tests, [...path, 'expect', ...one.path], { code: 'E190', ...one }),
    )
    return [...expected, ...unmetOutside]
  }
  return async (one) => {
    const store = openMemory()
    try {
      const playOne = (scene: Part, run: number) =>
        // Each run has chances of its own.
        play({ ...scene, pipeline, seed: seed * 1_000_003 + run }, cast, store)
      return await playRuns(one, playOne, problemsOf)
    } finally {
      await store.close()
    }
  }
}

/** What of a scene its case says. */
type Part = Omit<Scene, 'pipeline' | 'seed'>

/** Plays the runs of a case, to the first that is not as expected. */
async function playRuns(
  one: CheckedCase,
  play: (scene: Part, run: number) => Promise<Played>,
  problemsOf: (one: CheckedCase, played: Played) => readonly Problem[],
): Promise<CaseResult> {
  const { name, raw, params, madeUp, runs } = one
  let duration = 0
  for (const [index, { at, interval }] of runs.entries()) {
    const played = await play(
      {
        ...{ params, madeUp, at, interval },
        trigger: raw.trigger ?? 'manual',
        slots: raw.slots ?? null,
        baseline: (raw.baseline ?? {}) as { [task: string]: JsonObject },
        acts: raw.tasks ?? {},
        faults: raw.faults ?? [],
        answers: (raw.answers ?? {}) as Answers,
        resources: resourcesOf(raw),
        env: raw.env ?? {},
      },
      index,
    )
    const problems = problemsOf(one, played)
    duration = Math.max(duration, played.took)
    if (problems.length > 0) return { name, ok: false, runs: index + 1, duration, problems, failed: played }
  }
  return { name, ok: true, runs: runs.length, duration, problems: [], failed: null }
}

/** Pools and rates as the engine has them. */
function resourcesOf({ pools = {}, rates }: TestCase): Resources {
  const withGpus = Object.entries(pools).map(([name, { slots, gpus = 0 }]) => [name, { slots, gpus }])
  return {
    pools: Object.fromEntries(withGpus),
    rates: { cpu: rates?.cpu ?? 0, gpu: rates?.gpu ?? 0, pools: rates?.pools ?? {} },
  }
}

function textOf(bytes: Uint8Array): string {
  return new TextDecoder('utf-8').decode(bytes)
}
