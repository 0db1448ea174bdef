/** Compiles several files that stand in a test. Knows nothing of the tests. */
import { posix } from 'node:path'
import { type Compiled, compile } from '../../dsl/compile.ts'
import type { Catalogue } from '../../dsl/operators.ts'
import { format } from '../../dsl/problems.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { builtinCatalogue } from './catalogue.ts'

/** Files by name, each in YAML; `dagctl` and `pipeline` are added where they are missing. */
export type Files = { readonly [file: string]: string }

/** Compiles one of the files (the first where none is named). `reads` collects what was loaded. */
export async function compileFiles(
  files: Files,
  options: { main?: string; strict?: boolean; catalogue?: Catalogue; reads?: string[] } = {},
): Promise<Compiled> {
  const text = (file: string) => {
    const yaml = files[file] as string
    return yaml.includes('dagctl:') ? yaml : `dagctl: 1\npipeline: ${posix.parse(file).name}\n${yaml}`
  }
  const { main = Object.keys(files)[0] ?? '', strict = false, catalogue = builtinCatalogue, reads } = options
  return compile({ text: text(main), file: main }, catalogue, {
    strict,
    load: async (path, from) => {
      const file = posix.join(posix.dirname(from.file), path)
      reads?.push(file)
      return Object.hasOwn(files, file) ? { text: text(file), file } : { why: 'there is no such file' }
    },
  })
}

/** The pipeline of files without errors; throws with what is wrong. */
export async function pipelineOfFiles(files: Files, catalogue?: Catalogue): Promise<Pipeline> {
  const { pipeline, problems } = await compileFiles(files, catalogue ? { catalogue } : {})
  if (!pipeline) throw new Error(problems.map((problem) => format(problem, null)).join('\n'))
  return pipeline
}

/** What is wrong, as `FILE:LINE:COLUMN CODE message (hint)`, warnings left out. */
export async function errorsOfFiles(files: Files, main?: string): Promise<readonly string[]> {
  const { problems } = await compileFiles(files, main === undefined ? {} : { main })
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(
      ({ file, line, column, code, message, hint }) =>
        `${file}:${line}:${column} ${code} ${message}${hint === null ? '' : ` (${hint})`}`,
    )
}
