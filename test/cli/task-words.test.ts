import t from 'tap'
import { nodesOf, outermost } from '../../cli/task-words.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import type { TaskRecord } from '../../engine/store/records.ts'
import { TaskNames } from '../../engine/task-names.ts'

/** A pipeline of these ids, and its nodes: [id, key, parent]. */
function world(ids: readonly string[], nodes: readonly (readonly [string, string | null, number | null])[]) {
  const pipeline = { name: 'p', tasks: ids.map((id) => ({ id })) } as unknown as Pipeline
  const rows = nodes.map(([id, key, parent], node) => ({ node, task: ids.indexOf(id), key, parent }))
  return { pipeline, rows: rows as unknown as readonly TaskRecord[] }
}

const mapped = world(
  ['in', 'mask', 'mask2'],
  [
    ['in', null, null],
    ['mask', null, null],
    ['mask2', null, null],
    ['mask', 'north', 1],
    ['mask', 'a]b', 1],
    ['mask', 'x].y[z', 1],
    ['mask', '', 1],
  ],
)

/** A mapped group with a mapped task in it: its aggregates, two instances, and what is in them. */
const nested = world(
  ['g', 'g.mask', 'g.end'],
  [
    ['g', null, null],
    ['g.mask', null, 0],
    ['g.end', null, 0],
    ['g', 'one', 0],
    ['g.mask', null, 3],
    ['g.end', null, 3],
    ['g', 'two', 0],
    ['g.mask', null, 6],
    ['g.end', null, 6],
    ['g.mask', 'k', 4],
    ['g.mask', 'k', 7],
    ['g.mask', 'l', 7],
  ],
)

const of = ({ pipeline, rows }: typeof mapped, word: string) => nodesOf(pipeline, rows, word)
const namesIn = ({ pipeline, rows }: typeof mapped) => {
  const names = new TaskNames(pipeline, rows)
  return rows.map((row) => names.name(row))
}

t.test('a task is named with all its instances, an instance by its key, whatever is in it', async (t) => {
  t.strictSame(of(mapped, 'in'), [0])
  t.strictSame(of(mapped, 'mask'), [1, 3, 4, 5, 6])
  t.strictSame(of(mapped, 'mask[north]'), [3])
  t.strictSame(of(mapped, 'mask[a]b]'), [4])
  t.strictSame(of(mapped, 'mask[x].y[z]'), [5])
  t.strictSame(of(mapped, 'mask[]'), [6])
})

t.test('in groups a key may stand at each part, or at none', async (t) => {
  t.strictSame(of(nested, 'g'), [0, 3, 6])
  t.strictSame(of(nested, 'g[two]'), [6])
  t.strictSame(of(nested, 'g.mask'), [1, 4, 7, 9, 10, 11])
  t.strictSame(of(nested, 'g[two].mask'), [7, 10, 11])
  t.strictSame(of(nested, 'g.mask[k]'), [9, 10])
  t.strictSame(of(nested, 'g[two].mask[k]'), [10])
  t.strictSame(of(nested, 'g[one].end'), [5])
})

t.test('every node is named so that its name means it, and what stands in it', async (t) => {
  for (const one of [mapped, nested])
    for (const [node, name] of namesIn(one).entries()) t.ok(of(one, name).includes(node), name)
  t.strictSame(namesIn(nested).slice(9), ['g[one].mask[k]', 'g[two].mask[k]', 'g[two].mask[l]'])
  const names = new TaskNames(nested.pipeline, nested.rows)
  t.strictSame(names.keys(nested.rows[10] as TaskRecord), ['two', 'k'])
  t.strictSame(names.keys(nested.rows[7] as TaskRecord), ['two'])
})

t.test('of nodes in each other the outermost stand for all', async (t) => {
  t.strictSame(outermost(nested.rows, of(nested, 'g.mask')), [1, 4, 7])
  t.strictSame(outermost(mapped.rows, of(mapped, 'mask')), [1])
  t.strictSame(outermost(mapped.rows, [3, 4]), [3, 4])
})

t.test('what is not there is told with what was probably meant', async (t) => {
  const wrong = (one: typeof mapped, word: string) => {
    try {
      of(one, word)
    } catch (error) {
      const { code, message, hint } = error as { code: string; message: string; hint: string }
      return [code, message, hint]
    }
    return null
  }
  t.strictSame(wrong(mapped, 'msak'), ['E209', 'the pipeline p has no task `msak`', 'did you mean `mask`?'])
  t.strictSame(wrong(mapped, 'mask[nort]'), [
    'E209',
    'there is no instance `mask[nort]`',
    'did you mean `mask[north]`?',
  ])
  t.strictSame(wrong(mapped, 'in[1]'), ['E209', 'there is no instance `in[1]`', '`in` has no instances'])
  t.strictSame(wrong(nested, 'g[two].mask[z.z]')?.slice(0, 2), [
    'E209',
    'there is no instance `g[two].mask[z.z]`',
  ])
  t.match(wrong(nested, 'g[three].mask[k]'), ['E209', /no instance/, /g\[two\]\.mask\[k\]|there are/])
})
