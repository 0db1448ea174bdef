import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { levels } from '../../dsl/graph.ts'
import { casesFolder } from '../support/cases.ts'
import { pipelineOf } from '../support/compiled.ts'

interface Shape {
  readonly path: string
  readonly ids: readonly string[]
  readonly parents: readonly (readonly number[])[]
  readonly runtime_s: readonly number[]
}

interface Facts {
  readonly path: string
  readonly tasks: number
  readonly edges: number
  readonly roots: number
  readonly leaves: number
  readonly levels: number
  readonly max_level_width: number
  readonly max_fan_out: number
  readonly max_fan_in: number
  readonly critical_path_s: number
}

/** Ids of the shapes are made task ids: what a task id may not hold becomes `_`, a leading digit gets one. */
const idOf = (id: string) => id.replace(/[^A-Za-z0-9_-]/g, '_').replace(/^(?![A-Za-z_])/, '_')

function yamlOf({ ids, parents }: Shape): string {
  const names = ids.map(idOf)
  return names
    .map(
      (name, task) =>
        `  ${name}: { uses: Noop, needs: [${(parents[task] ?? []).map((parent) => names[parent]).join(', ')}] }`,
    )
    .join('\n')
}

function factsOf(needs: readonly (readonly number[])[], runtimes: readonly number[]): Omit<Facts, 'path'> {
  const fanOut = new Array<number>(needs.length).fill(0)
  for (const need of needs.flat()) fanOut[need] = (fanOut[need] ?? 0) + 1
  const level = [...levels(needs)]
  const widths = new Map<number, number>()
  for (const at of level) widths.set(at, (widths.get(at) ?? 0) + 1)
  const ends: number[] = []
  for (const task of level.map((_, index) => index).sort((a, b) => (level[a] ?? 0) - (level[b] ?? 0)))
    ends[task] = (runtimes[task] ?? 0) + Math.max(0, ...(needs[task] ?? []).map((need) => ends[need] ?? 0))
  return {
    tasks: needs.length,
    edges: needs.flat().length,
    roots: needs.filter((list) => list.length === 0).length,
    leaves: fanOut.filter((count) => count === 0).length,
    levels: Math.max(...level) + 1,
    max_level_width: Math.max(...widths.values()),
    max_fan_out: Math.max(...fanOut),
    max_fan_in: Math.max(...needs.map(({ length }) => length)),
    critical_path_s: Math.max(...ends),
  }
}

t.test('86 real workflows compile to graphs with the facts that were published of them', async (t) => {
  const folder = casesFolder(t, 'workflows')
  if (folder === null) return
  const lines = gunzipSync(readFileSync(join(folder, 'shapes.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
  const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as readonly Facts[]
  t.equal(lines.length, 86)
  for (const line of lines) {
    const shape = JSON.parse(line) as Shape
    const facts = expected.find(({ path }) => path === shape.path)
    const { tasks } = await pipelineOf(yamlOf(shape))
    const { critical_path_s: criticalPath, ...counts } = factsOf(
      tasks.map(({ needs }) => needs),
      shape.runtime_s,
    )
    t.match(facts, counts, shape.path)
    // The shapes hold run times in whole milliseconds, the facts were computed before that rounding.
    t.ok(
      Math.abs(criticalPath - (facts?.critical_path_s ?? Number.NaN)) < 0.001 * counts.levels,
      `${shape.path}: critical path`,
    )
  }
})
