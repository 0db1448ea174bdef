/** Compiles several files that stand in a test. Knows nothing of the tests. */
import { posix } from 'node:path'
import type { Test } from 'tap'
import { type Compiled, compile } from '../../dsl/compile.ts'
import type { Catalogue } from '../../dsl/operators.ts'
import { format, type Problem } from '../../dsl/problems.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { builtinCatalogue, catalogueWith, operator } from './catalogue.ts'

/** Files by name, each in YAML; `dagctl` and `pipeline` are added where they are missing. */
export type Files = { readonly [file: string]: string }

/** Compiles the first of the files. `reads` collects what was loaded. */
export async function compileFiles(
  files: Files,
  { catalogue = builtinCatalogue, reads }: { catalogue?: Catalogue; reads?: string[] } = {},
): Promise<Compiled> {
  const text = (file: string) => {
    const yaml = files[file] as string
    return yaml.includes('dagctl:') ? yaml : `dagctl: 1\npipeline: ${posix.parse(file).name}\n${yaml}`
  }
  const main = Object.keys(files)[0] ?? ''
  return compile({ text: text(main), file: main }, catalogue, {
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

const errorsOf = ({ problems }: Compiled): Problem[] =>
  problems.filter(({ severity }) => severity === 'error')

/** What is wrong, as `FILE:LINE:COLUMN CODE message (hint)`, warnings left out. */
export async function errorsOfFiles(files: Files): Promise<readonly string[]> {
  return errorsOf(await compileFiles(files)).map(
    ({ file, line, column, code, message, hint }) =>
      `${file}:${line}:${column} ${code} ${message}${hint === null ? '' : ` (${hint})`}`,
  )
}

/** The built-in operators, and `Count`, whose input and outputs have types. */
export const typed = catalogueWith(
  operator({
    name: 'Count',
    runtimes: ['inline'],
    input: { type: 'object', properties: { from: { type: 'string' } }, additionalProperties: false },
    output: {
      type: 'object',
      additionalProperties: false,
      properties: { rows: { $ref: '#/$defs/count' }, name: { type: 'string' } },
      $defs: { count: { type: 'integer' } },
    },
  }),
)

/** A file that others use, of `typed` operators. */
export const prepare = `
inputs:
  source: { type: string }
  limit: { type: integer, default: 10 }
outputs:
  rows: "{{ tasks.pack.outputs.rows }}"
  label: "{{ inputs.source }} of {{ tasks.pack.outputs.name }}"
defaults: { timeout: 5m }
tasks:
  mask: { uses: Count, with: { from: "{{ inputs.source }}" } }
  pack: { uses: Count, with: { from: "{{ tasks.mask.outputs.name }}" } }
`

/** What is wrong with tasks that use `./prepare.yaml`, of `typed` operators: `FILE:LINE CODE message`, and the hint. */
export async function errorsOfUse(
  tasks: string,
  used = prepare,
): Promise<readonly (readonly [error: string, hint: string | null])[]> {
  const files = { 'main.yaml': `tasks:\n${tasks}`, 'prepare.yaml': used }
  return errorsOf(await compileFiles(files, { catalogue: typed })).map(
    ({ file, line, code, message, hint }) => [`${file}:${line} ${code} ${message}`, hint],
  )
}

/** Each that was found is like what was wanted in its place, and there are no more: `t.match` alone forgives more. */
export function matchesEach(t: Test, found: readonly unknown[], wanted: readonly unknown[]): void {
  t.match(found, wanted)
  t.equal(found.length, wanted.length, `${wanted.length} are wanted`)
}
