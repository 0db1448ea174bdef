/** B3: compiling a large pipeline file, beside what `yaml` and `ajv` alone need for the same text. Each run in a fresh process. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { time } from './process.ts'
import type { Row, Side, Workload } from './workload.ts'

const sizes = [10_000, 100_000]

/** A file of Noop tasks, each with up to three needs before it. */
function pipelineOf(size: number): string {
  const lines = ['dagctl: 1', 'pipeline: large', 'tasks:']
  for (let index = 0; index < size; index++) {
    const needs = [index - 1, index >> 1, index - 7].filter(
      (need, at, all) => need >= 0 && need < index && all.indexOf(need) === at,
    )
    lines.push(`  t${index}: { uses: Noop, needs: [${needs.map((need) => `t${need}`).join(', ')}] }`)
  }
  return `${lines.join('\n')}\n`
}

/** Measures validation and graph of 10,000 and 100,000 tasks. */
export async function compile(): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const rows = sizes.map((size): Row => {
    const file = join(folder, `${size}.yaml`)
    writeFileSync(file, pipelineOf(size))
    const side = (name: string, way: string): Side => ({
      name,
      run: async () => Number((await time(process.execPath, [import.meta.filename, way, file])).stdout),
    })
    return {
      workload: `${size.toLocaleString('en-US')} tasks, ${(pipelineOf(size).length / 2 ** 20).toFixed(1)} MiB`,
      unit: 'ms',
      goal: '<= 2',
      ours: side('dagctl', 'ours'),
      others: [side('yaml + ajv', 'limit')],
    }
  })
  return {
    rows,
    notes: [
      'modules are loaded before the clock starts; ours ends with the compiled graph',
      'yaml reads with uniqueKeys off, which it would check in quadratic time; ours reads so too, and finds repeated keys itself',
    ],
    dispose: () => rmSync(folder, { recursive: true }),
  }
}

async function ours(text: string): Promise<number> {
  const [{ compile }, { builtin }, { describe }, { graphOf }] = await Promise.all([
    import('../dsl/compile.ts'),
    import('../operators/catalogue.ts'),
    import('../plugins/api.ts'),
    import('../engine/graph.ts'),
  ])
  const noop = builtin.Noop && describe(await builtin.Noop())
  const catalogue = {
    names: () => Object.keys(builtin),
    find: async (name: string) => (name === 'Noop' ? noop : undefined),
  }
  const began = performance.now()
  const { pipeline, problems } = await compile({ text, file: 'large.yaml' }, catalogue)
  if (!pipeline) throw new Error(`does not compile: ${problems[0]?.message}`)
  graphOf(pipeline.tasks)
  return performance.now() - began
}

async function limit(text: string): Promise<number> {
  const [{ parse }, { Ajv2020 }, { default: schema }] = await Promise.all([
    import('yaml'),
    import('ajv/dist/2020.js'),
    import('../schemas/pipeline.schema.json', { with: { type: 'json' } }),
  ])
  const began = performance.now()
  const check = new Ajv2020({ allErrors: true, strict: false, validateFormats: false }).compile(schema)
  if (!check(parse(text, { uniqueKeys: false }))) throw new Error('does not match the schema')
  return performance.now() - began
}

if (import.meta.main) {
  const [way, file = ''] = process.argv.slice(2)
  const text = readFileSync(file, 'utf8')
  console.log(await (way === 'ours' ? ours(text) : limit(text)))
}
