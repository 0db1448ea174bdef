/** Compiles pipeline files in a process of its own, one per message, for compiler.ts. */
import type { Installation } from '../dsl/config.ts'
import type { Problem } from '../dsl/problems.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { answering } from './beside.ts'
import { type Checked, checkFile, reportOf } from './pipelines.ts'
import type { Terminal } from './terminal.ts'

/** What is asked: a file as people know it, relative to the folder. */
export interface Question {
  readonly file: string
  readonly cwd: string
  /** What dagctl.yaml says: pools that may be named, variables that may be read. */
  readonly installation: Pick<Installation, 'resources' | 'env'>
}

/** What came of it: the pipeline, or what is wrong as people read it. */
export interface Verdict {
  readonly pipeline: Pipeline | null
  readonly report: string
  /** The other files that it is made of, absolute, with their stamps from before they were read; null where nobody knows. */
  readonly uses: readonly (readonly [path: string, stamp: string])[] | null
}

/** Compiles one file; a schedule needs every parameter to have a default, since nobody is there to give it. */
async function judge({ file, cwd, installation }: Question): Promise<Verdict> {
  const checked = await checkFile(file, { cwd } as Terminal, false, installation)
  const { pipeline } = checked
  const uses = [...checked.uses]
  if (pipeline === null) return { pipeline, report: await reportOf(checked), uses }
  const missing = pipeline.schedule === null ? [] : await undefaulted(checked)
  if (missing.length === 0) return { pipeline, report: '', uses }
  return { pipeline: null, report: await reportOf({ ...checked, problems: missing }), uses }
}

async function undefaulted({ pipeline, bytes, file }: Checked): Promise<readonly Problem[]> {
  const params = Object.entries(pipeline?.params ?? {})
  const missing = params.filter(([, schema]) => schema.default === undefined)
  if (missing.length === 0) return []
  const [{ parse }, { Report }] = await Promise.all([import('../dsl/parse.ts'), import('../dsl/report.ts')])
  const report = new Report(parse({ text: bytes, file }))
  for (const [name] of missing)
    report.atKey(['params', name], {
      code: 'E171',
      message: `the parameter \`${name}\` is missing`,
      hint: 'give it a `default`: a schedule has nobody to ask',
    })
  return report.problems
}

answering<Question, Verdict>((question) =>
  judge(question).catch((error): Verdict => {
    if (!(error instanceof DagctlError) || error.kind === 'bug') throw error
    const hint = error.hint === undefined ? '' : `\n  ${error.hint}`
    return {
      pipeline: null,
      report: `${question.file} error ${error.code} ${error.message}${hint}`,
      uses: null,
    }
  }),
)
