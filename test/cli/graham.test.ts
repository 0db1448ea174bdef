import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { openSqlite } from '../../engine/store/sqlite.ts'
import { casesFolder } from '../support/cases.ts'
import { json } from '../support/command-line.ts'

interface Shape {
  readonly path: string
  readonly ids: readonly string[]
  readonly parents: readonly (readonly number[])[]
  readonly runtime_s: readonly number[]
}

/** How long a task of the shape sleeps, scaled so that the whole would take `seconds` on one slot. */
function sleepsOf({ runtime_s }: Shape, seconds: number): number[] {
  const sum = runtime_s.reduce((total, one) => total + one, 0)
  return runtime_s.map((one) => Math.min(0.3, (one * seconds) / (sum || 1)))
}

function yamlOf(shape: Shape, slots: number): string {
  const tasks = sleepsOf(shape, 1).map((sleep, index) => {
    const needs = (shape.parents[index] ?? []).map((parent) => `t${parent}`).join(', ')
    return `  t${index}: { run: "sleep ${sleep.toFixed(4)}", needs: [${needs}] }`
  })
  return `dagctl: 1\npipeline: shape\nconcurrency: { tasks: ${slots} }\ndefaults: { timeout: 5m }\ntasks:\n${tasks.join('\n')}\n`
}

/** When each task was claimed and when its slot was free again, as the engine recorded it, milliseconds. */
async function recorded(folder: string, run: string): Promise<{ start: number; end: number }[]> {
  const store = openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
  const spans: { start: number; end: number }[] = []
  for (const { node, event, at } of await store.events(run)) {
    if (node === null) continue
    if (event === 'claim') spans[node] = { start: at, end: at }
    if (event === 'succeed' && spans[node] !== undefined) spans[node].end = at
  }
  await store.close()
  return spans
}

/** The longest chain of durations, over tasks in any order. */
function criticalPath(parents: Shape['parents'], durations: readonly number[]): number {
  const ends = new Map<number, number>()
  const endOf = (task: number): number => {
    const known = ends.get(task)
    if (known !== undefined) return known
    const end = (durations[task] ?? 0) + Math.max(0, ...(parents[task] ?? []).map(endOf))
    ends.set(task, end)
    return end
  }
  return Math.max(...durations.map((_, task) => endOf(task)))
}

// Graham (1966): a list schedule on k slots takes at most sum/k + (1 - 1/k) x critical path. The durations are those that
// were recorded, so that the bound is about the scheduling and not the speed of the machine. What the engine spends
// between an end and the next claim is outside them; each level of the graph may add one such pause.
const pause = 50

const timeout = 150_000
t.setTimeout(timeout)

t.test('20 real workflows keep to the bound of list schedules', { timeout }, async (t) => {
  const cases = casesFolder(t, 'workflows')
  if (cases === null) return
  const lines = gunzipSync(readFileSync(join(cases, 'shapes.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
  const shapes = lines.map((line) => JSON.parse(line) as Shape).filter(({ ids }) => ids.length <= 110)
  const chosen = Array.from(
    { length: 20 },
    (_, index) => shapes[Math.floor((index * shapes.length) / 20)] as Shape,
  )
  t.equal(new Set(chosen).size, 20)
  for (const [index, shape] of chosen.entries()) {
    const slots = [2, 3, 4][index % 3] as number
    const folder = t.testdir({ 'shape.yaml': yamlOf(shape, slots) })
    const { exit, document } = await json(folder, ['run', 'shape.yaml'])
    t.equal(exit, 0, shape.path)
    const spans = await recorded(folder, document.run.id)
    t.equal(spans.length, shape.ids.length)
    const durations = spans.map(({ start, end }) => end - start)
    const sum = durations.reduce((total, one) => total + one, 0)
    const chain = criticalPath(shape.parents, durations)
    const makespan = Math.max(...spans.map(({ end }) => end)) - Math.min(...spans.map(({ start }) => start))
    const bound = sum / slots + (1 - 1 / slots) * chain
    const allowed =
      bound +
      pause *
        criticalPath(
          shape.parents,
          durations.map(() => 1),
        )
    const figures = `${shape.path}, ${slots} slots: ${makespan} ms, bound ${Math.round(bound)} ms`
    t.comment(figures)
    t.ok(makespan <= allowed, figures)
  }
})
