/** What of a task's log a person sees while a run goes on. */
import t from 'tap'
import { noticeOf } from '../../cli/notice.ts'
import type { AttemptEvent } from '../../engine/runtime/runtime.ts'

const said = (event: AttemptEvent) =>
  noticeOf({ type: 'attempt', run: 'r', task: 'tell', name: 'tell', key: null, attempt: 1, event })

t.test('a message to the console is shown under the name of its task, line by line', async (t) => {
  const fields = { channel: 'console' }
  const message = 'one\ntwo \u001b[31mred'
  t.equal(said({ type: 'log', level: 'info', message, fields }), 'tell: one\ntell: two ·[31mred')
})

t.test('any other line of a log, and progress, are not', async (t) => {
  t.equal(said({ type: 'log', level: 'warn', message: 'slow' }), null)
  t.equal(said({ type: 'progress', done: 1, total: 2, unit: 'records' }), null)
})

t.test('what befalls a run as a whole is told, with what to do', async (t) => {
  const run = { type: 'run', run: 'r', at: 0 } as const
  t.equal(noticeOf({ ...run, state: 'running' }), null)
  t.equal(noticeOf({ ...run, state: 'running', event: 'overdue', message: 'late' }), 'run r: late')
  t.match(noticeOf({ ...run, state: 'paused' }), /dagctl runs resume r/)
})
