/** Pipelines for the kill tests: real workflow shapes of commands, waits and no-ops, and a small corpus' way to tokens. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'

interface Shape {
  readonly path: string
  readonly ids: readonly string[]
  readonly parents: readonly (readonly number[])[]
}

/** A pipeline file that is run and killed. */
export interface Victim {
  readonly name: string
  readonly yaml: string
  /** Running tasks at once; null is no limit. */
  readonly limit: number | null
  /** Words after `run FILE`. */
  readonly words: readonly string[]
}

/** Real workflows of at most `size` tasks, smallest first. */
export function smallShapes(folder: string, size: number): readonly Victim[] {
  const shapes = gunzipSync(readFileSync(join(folder, 'shapes.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Shape)
    .filter(({ ids }) => ids.length <= size)
    .sort((a, b) => a.ids.length - b.ids.length)
  return shapes.map((shape, index) => {
    const limit = [null, 2, 3][index % 3] as number | null
    return { name: shape.path, yaml: yamlOf(shape, limit, index % 2 === 1), limit, words: [] }
  })
}

/** What a task of a shape is: of every five three are commands, one waits, one does nothing. */
const kinds = ['command', 'command', 'nothing', 'command', 'wait'] as const
const kindOf = (task: number) => kinds[task % kinds.length] as (typeof kinds)[number]

/** @param broken whether the last command of the file fails, at every try */
function yamlOf({ parents }: Shape, limit: number | null, broken: boolean): string {
  const commands = parents.map((_, task) => task).filter((task) => kindOf(task) === 'command')
  const tasks = parents.map((needs, task) => {
    const listed = `needs: [${needs.map((need) => `t${need}`).join(', ')}]`
    if (kindOf(task) === 'nothing') return `  t${task}: { uses: Noop, ${listed} }`
    if (kindOf(task) === 'wait') return `  t${task}: { uses: Wait, with: { for: 150ms }, ${listed} }`
    return command(task, listed, needs, broken && task === commands.at(-1))
  })
  const limits = limit === null ? '' : `concurrency: { tasks: ${limit} }\n`
  return `dagctl: 1\npipeline: shape\n${limits}defaults: { timeout: 5m }\ntasks:\n${tasks.join('\n')}\n`
}

/** Notes that it ran, and as which attempt; its output is one more than the sum of what it needs. */
function command(task: number, listed: string, needs: readonly number[], broken: boolean): string {
  const numbers = needs.filter((need) => kindOf(need) === 'command')
  const env = numbers.map((need) => `P${need}: "{{ tasks.t${need}.outputs.sum }}"`).join(', ')
  const sum = ['1', ...numbers.map((need) => `P${need}`)].join(' + ')
  const end = broken ? 'exit 3' : `printf '{\\"sum\\": %d}' $((${sum})) > $DAGCTL_OUTPUT`
  const run = `echo t${task} $DAGCTL_ATTEMPT >> ran; sleep 0.0${2 + (task % 7)}; ${end}`
  const retry = broken ? ', retry: { attempts: 2, delay: 100ms, jitter: none }' : ''
  return `  t${task}: { run: "${run}", ${listed}, env: { ${env} }${retry} }`
}

const sample = fileURLToPath(new URL('../../pipelines/sample', import.meta.url))

/** From files to tokens: operators' code, in the engine and in workers. */
export function dataPipeline(words: readonly string[]): Victim {
  const yaml = `dagctl: 1
pipeline: data
defaults: { timeout: 5m }
tasks:
  ingest: { uses: BatchIngest, with: { source: "${sample}/*.json", format: json, output: data/in } }
  check:
    uses: SchemaValidate
    with: { input: "{{ tasks.ingest.outputs.dataset }}", schema: { type: object, required: [text] }, output: data/ok }
  dedup: { uses: Dedup, with: { input: "{{ tasks.check.outputs.dataset }}", method: near, output: data/once } }
  split:
    uses: Split
    with: { input: "{{ tasks.dedup.outputs.dataset }}", ratios: { train: 0.8, validation: 0.2, test: 0 }, output: data/split }
  pack:
    uses: Tokenize
    with: { input: "{{ tasks.split.outputs.train.dataset }}", contextLength: 512, output: data/packed }
`
  return { name: ['data', ...words].join(' '), yaml, limit: null, words }
}
