import t from 'tap'
import { withDependents, withNeeds } from '../../cli/task-selection.ts'
import type { Task } from '../../engine/pipeline.ts'
import { pipelineOfFiles } from '../support/files.ts'

const { tasks } = await pipelineOfFiles({
  'main.yaml':
    'tasks:\n  a: { uses: Noop }\n  g: { use: ./g.yaml, needs: [a] }\n  z: { uses: Noop, needs: [g] }\n  other: { uses: Noop }',
  'g.yaml':
    'tasks:\n  x: { uses: Noop }\n  h: { use: ./h.yaml, needs: [x] }\n  y: { uses: Noop, needs: [h] }\n  free: { uses: Noop }',
  'h.yaml': 'tasks:\n  p: { uses: Noop }\n  q: { uses: Noop, needs: [p] }',
})

const named = (
  select: (tasks: readonly Task[], from: readonly number[]) => ReadonlySet<number>,
  ...ids: string[]
) => {
  const found = select(
    tasks,
    ids.map((id) => tasks.findIndex((task) => task.id === id)),
  )
  return [...found].sort((a, b) => a - b).map((index) => tasks[index]?.id)
}

const group = ['g', 'g.x', 'g.h', 'g.h.p', 'g.h.q', 'g.y', 'g.free']

t.test('a task needs its needs, a group all that is in it, and what is in a group the group', async (t) => {
  t.strictSame(named(withNeeds, 'a'), ['a'])
  for (const id of ['g', 'g.h.q', 'g.x']) t.strictSame(named(withNeeds, id), ['a', ...group], id)
  t.strictSame(named(withNeeds, 'z', 'other'), ['a', ...group, 'z', 'other'])
})

t.test(
  'below a task in a group stand those behind it, the group, and what is behind the group',
  async (t) => {
    t.strictSame(named(withDependents, 'a'), ['a', ...group, 'z'])
    t.strictSame(named(withDependents, 'g'), [...group, 'z'])
    t.strictSame(named(withDependents, 'g.x'), ['g', 'g.x', 'g.h', 'g.h.p', 'g.h.q', 'g.y', 'z'])
    t.strictSame(named(withDependents, 'g.h.q'), ['g', 'g.h', 'g.h.q', 'g.y', 'z'])
    t.strictSame(named(withDependents, 'z'), ['z'])
  },
)
