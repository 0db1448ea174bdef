/** A scope for tests of templates and expressions. */
import type { Scope, TaskView } from '../../engine/evaluator.ts'

/** A run on 29 March 2026 in Berlin, the night in which the clock jumps from 02:00 to 03:00. */
export function scopeWith(
  parts: Partial<Scope> & { readonly tasks?: { readonly [id: string]: TaskView } } = {},
): Scope {
  const { tasks = {}, ...rest } = parts
  return {
    params: {},
    run: {
      id: 'r1',
      pipeline: 'p',
      logicalTime: '2026-03-28T23:00:00.000Z',
      interval: { start: '2026-03-28T23:00:00.000Z', end: '2026-03-29T22:00:00.000Z' },
      trigger: 'schedule',
    },
    timezone: 'Europe/Berlin',
    task: (id) => (Object.hasOwn(tasks, id) ? tasks[id] : undefined),
    ...rest,
  }
}
