/** `dagctl test FILE|DIR…`: plays the tests of pipelines on virtual time. Opens no store, runs no operator. */
import type { Problem } from '../../dsl/problems.ts'
import { DagctlError, exits } from '../../engine/errors.ts'
import { lengthText } from '../../simulation/expectations.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { type CaseResult, type FileResult, playFile, suffix } from '../pipeline-tests.ts'
import { problemRow } from '../pipelines.ts'
import { counted, type Paint, paintFor, shortInterval } from '../print.ts'
import { countOf, wrongOption } from '../settings.ts'
import type { Terminal } from '../terminal.ts'
import { timelineOf } from '../timeline.ts'
import { yamlFiles } from '../yaml-files.ts'

interface Options {
  readonly case?: string
  readonly seed: string
}

/** Declares `dagctl test`. */
export const test: Declare = (command, context) => {
  command
    .argument('<path...>', 'files NAME.test.yaml, or folders: every one in and below them')
    .option('--case <text>', 'only cases with this in their name')
    .option('--seed <n>', 'what chance is made from: the same seed, the same result', '1')
    .addHelpText(
      'after',
      '\nThe real engine runs the pipeline on virtual time; operators do what the test says, and nothing else is started.',
    )
    .addHelpText('after', examples('test pipelines/', "test pipeline.test.yaml --case 'a lost machine'"))
    .action(action<Options>(context, perform))
}

async function perform(
  { terminal, settings, options }: Call<Options>,
  paths: readonly string[],
): Promise<number> {
  const play = { only: options.case ?? null, seed: countOf('--seed', options.seed, 0) }
  const found = (await Promise.all(paths.map((path) => testsIn(path, terminal)))).flat()
  const results: FileResult[] = []
  for (const file of new Set(found)) {
    const result = await playFile(file, terminal, play)
    results.push(result)
    if (!settings.json) await printFile(result, play.seed, terminal)
  }
  const cases = results.flatMap((result) => result.cases)
  const invalid = results.some(({ problems }) => problems.length > 0)
  if (cases.length === 0 && !invalid && play.only !== null)
    throw wrongOption(`no case has \`${play.only}\` in its name`, 'without --case all of them are played')
  const failed = cases.filter(({ ok }) => !ok).length
  if (settings.json) printJson(terminal, documentOf(results, failed === 0 && !invalid))
  else terminal.out.write(`${counted(cases.length - failed, 'case')} passed, ${failed} failed\n`)
  return invalid ? exits.invalid : failed > 0 ? exits.failed : exits.ok
}

/** The files of tests that a path stands for. */
async function testsIn(path: string, terminal: Terminal): Promise<readonly string[]> {
  const files = await yamlFiles(path, terminal, (name) => name.endsWith(suffix))
  if (files.length > 0) return files
  throw new DagctlError('E203', `the folder ${path} holds no tests`, {
    kind: 'usage',
    hint: 'tests of a pipeline NAME.yaml are a file NAME.test.yaml',
  })
}

function documentOf(results: readonly FileResult[], ok: boolean): object {
  const row = (problem: Problem) => ({ file: problem.file, ...problemRow(problem) })
  const files = results.map(({ file, pipeline, problems, cases }) => ({
    file,
    pipeline,
    problems: problems.map(row),
    cases: cases.map((one) => ({
      name: one.name,
      ok: one.ok,
      runs: one.runs,
      duration: one.duration,
      problems: one.problems.map(row),
    })),
  }))
  return { ok, files }
}

async function printFile(result: FileResult, seed: number, { out, err, env }: Terminal): Promise<void> {
  const { format } = await import('../../dsl/problems.ts')
  const shown = (problem: Problem) => format(problem, result.sources[problem.file] ?? null)
  if (result.problems.length > 0) {
    err.write(`${result.problems.map(shown).join('\n')}\n`)
    out.write(`${result.file}: not played\n`)
    return
  }
  const paint = paintFor(out, env)
  if (result.cases.length > 0) out.write(`${result.file}\n`)
  for (const one of result.cases) {
    out.write(`  ${headOf(one, paint)}\n`)
    const lines = one.problems.flatMap((problem) => shown(problem).split('\n'))
    if (one.failed !== null) lines.push(...happened(one.failed, seed))
    out.write(lines.map((line) => `    ${line}\n`).join(''))
  }
}

function headOf({ name, ok, runs, duration }: CaseResult, paint: Paint): string {
  const mark = ok ? paint.green('✓') : paint.red('✗')
  const much = runs === 1 ? lengthText(duration) : `${counted(runs, 'run')}, ${lengthText(duration)} at most`
  return `${mark} ${name}  ${paint.dim(much)}`
}

function happened(played: NonNullable<CaseResult['failed']>, seed: number): readonly string[] {
  return [
    `what happened in the run for ${shortInterval(played.run.interval)}, seed ${seed}:`,
    ...timelineOf(played).map((line) => `  ${line}`),
  ]
}
