/** A pipeline file, with all that it uses, to a compiled pipeline. Touches no store, process or network. */
import { isJsonObject, type JsonSchema } from '../engine/json.ts'
import type { Pipeline, Task } from '../engine/pipeline.ts'
import type { Resources } from '../engine/resources.ts'
import type { PipelineFile } from '../schemas/pipeline.generated.ts'
import { type CompiledFile, compileFile } from './compile-file.ts'
import { inline } from './inline.ts'
import { lint } from './lint.ts'
import { lintFiles } from './lint-files.ts'
import type { Catalogue } from './operators.ts'
import { inFileOrder, type Problem } from './problems.ts'
import type { Source } from './source.ts'
import { inlinedValue, type Load, readFiles, type SourceFile } from './used-files.ts'
import { versionOf } from './version.ts'
import type { Allowed } from './visible.ts'

/** A file as compiling it came out. */
export interface CheckedFile {
  readonly file: string
  readonly text: string
  readonly name: string | null
  /** How many tasks the file has, right or wrong. */
  readonly tasks: number
  /** In file order. */
  readonly problems: readonly Problem[]
}

/** What compiling a file came to. */
export interface Compiled {
  /** null if some problem is an error, or the file is made for others. */
  readonly pipeline: Pipeline | null
  /** Whether the file is made for others to use: it has `inputs` or `outputs`. */
  readonly forUse: boolean
  /** null if some problem is an error. */
  readonly version: string | null
  /** Of the file and then of those that it uses, each in file order. */
  readonly problems: readonly Problem[]
  readonly name: string | null
  /** How many tasks the file has, right or wrong. */
  readonly tasks: number
  /** The files that it uses, they and theirs. */
  readonly used: readonly CheckedFile[]
}

/** What the installation (dagctl.yaml) says to a file, and how other files are read. */
export interface Options {
  /** Lint is an error. */
  readonly strict?: boolean
  /** Variables of the environment that pipelines may read; absent is null. */
  readonly env?: Allowed
  /** The pools that are declared; null or absent: nobody said, so that any may be named. */
  readonly pools?: Resources['pools'] | null
  /** Reads what `use` names; absent: no file can use another. */
  readonly load?: Load
}

/** Compiles a pipeline file with all that it uses. Never throws for what is in a file. */
export async function compile(
  source: Source,
  catalogue: Catalogue,
  { strict = false, env = null, pools = null, load }: Options = {},
): Promise<Compiled> {
  const files = await readFiles(source, load)
  const compiled = new Map<SourceFile, CompiledFile>()
  for (const file of files) {
    const made = await compileFile(file, { compiled, catalogue, env, pools })
    if (made) compiled.set(file, made)
  }
  const root = files.at(-1) as SourceFile
  const failed = files.some(({ report }) => report.failed)
  const pipeline = failed ? null : await wholeOf(root, compiled.get(root) as CompiledFile, load)
  const checked = files.map((file) => checkedFile(file, strict))
  const { problems, name, tasks } = checked.at(-1) as CheckedFile
  const used = checked.slice(0, -1)
  const all = [...problems, ...used.flatMap((file) => file.problems)]
  const good = all.some(({ severity }) => severity === 'error') ? null : pipeline
  return {
    pipeline: root.forUse ? null : good,
    forUse: root.forUse,
    version: good?.version ?? null,
    problems: all,
    name,
    tasks,
    used,
  }
}

function checkedFile({ source, parsed, report }: SourceFile, strict: boolean): CheckedFile {
  const { pipeline: name, tasks } = parsed.value ?? {}
  return {
    file: source.file,
    text: parsed.positions.text,
    name: typeof name === 'string' ? name : null,
    tasks: isJsonObject(tasks) ? Object.keys(tasks).length : 0,
    problems: inFileOrder(
      strict
        ? report.problems.map((problem) => ({ ...problem, severity: 'error' as const }))
        : report.problems,
    ),
  }
}

/** The pipeline, from files without errors. Reports lint. */
async function wholeOf(root: SourceFile, own: CompiledFile, load: Load | undefined): Promise<Pipeline> {
  const placed = inline(own)
  lint(placed, root.forUse)
  if (load && !root.forUse) await lintFiles(placed, root.source, load)
  return assemble(
    own.file as PipelineFile,
    inlinedValue(root),
    own.times,
    placed.map(({ task }) => task),
  )
}

function assemble(
  file: PipelineFile,
  value: unknown,
  times: Pick<Pipeline, 'schedule' | 'deadline' | 'budget'>,
  tasks: readonly Task[],
): Pipeline {
  const tags = Object.entries(file.tags ?? {}).map(([name, tag]) => [name, String(tag)])
  return {
    name: file.pipeline,
    version: versionOf(value),
    description: file.description ?? null,
    owner: file.owner ?? null,
    tags: Object.fromEntries(tags),
    ...times,
    params: (file.params ?? {}) as { readonly [name: string]: JsonSchema },
    concurrency: { runs: file.concurrency?.runs ?? null, tasks: file.concurrency?.tasks ?? null },
    tasks,
  }
}
