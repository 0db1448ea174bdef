/** What a person's wish does to a run: pause, resume, cancel, retry, mark, answer. Pure but for the run it is given. */
import type { JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import { transition } from './moves.ts'
import type { Node } from './node.ts'
import { apply, begin, cancelAll } from './plan.ts'
import { isSettled, reset, resetBelow } from './reset.ts'
import { isEnded, nextRunState, type RunEvent } from './state.ts'
import type { Wish } from './store/store.ts'

/** What came of a wish. */
export interface Granted {
  /** false: it is too early (a task does not ask yet, or an ended run's attempts still leave); the wish is kept. */
  readonly done: boolean
  /** Nodes whose attempts are to leave. */
  readonly stop: readonly Node[]
}

const done: Granted = { done: true, stop: [] }

/** Who wishes, and when (epoch ms). */
export interface Wisher {
  readonly by: string
  readonly at: number
}

/**
 * Does what is wished, as far as the run's state lets it: what comes too late changes nothing. That it was wished is noted
 * in any case, once it is done with.
 */
export function grant(run: LiveRun, wish: Wish, wisher: Wisher): Granted {
  const granted = granting(run, wish, wisher)
  const { kind, ...detail } = wish
  if (granted.done) run.audit(`run.${kind}`, wisher.by, named(run, detail))
  return granted
}

/** A wish's particulars, with tasks by their names. */
function named(
  run: LiveRun,
  { nodes, node, ...rest }: { nodes?: readonly number[] | null; node?: number } & object,
): JsonObject {
  const names = (indices: readonly number[]) =>
    indices.flatMap((index) => {
      const found = run.nodes[index]
      return found === undefined ? [] : [run.name(found)]
    })
  return {
    ...(rest as JsonObject),
    ...(nodes && { tasks: names(nodes) }),
    ...(node !== undefined && { tasks: names([node]) }),
  }
}

function granting(run: LiveRun, wish: Wish, { by, at }: Wisher): Granted {
  const ended = isEnded(run.state)
  const takesBack = wish.kind === 'retry' || wish.kind === 'mark'
  if (ended && takesBack && run.nodes.some(({ holding }) => holding)) return { done: false, stop: [] }
  switch (wish.kind) {
    case 'cancel':
      // Once its last task has ended, it ends as that says, even where that is not written yet; but not while it is queued.
      return ended || (run.open === 0 && run.state !== 'queued')
        ? done
        : { done: true, stop: cancelAll(run, at) }
    case 'pause':
      // Tried again and not started since, it waits for its limits once more when it is resumed.
      if (run.state === 'queued') run.startedAt = null
      if (run.state === 'queued' || run.state === 'running') move(run, 'pause', { by }, 'person')
      return done
    case 'resume':
      if (run.state === 'paused') resume(run, by)
      return done
    case 'retry':
      return retry(run, wish, { by, at })
    case 'mark':
      return mark(run, wish, { by, at })
    case 'answer':
      return ended ? done : answer(run, wish, { by, at })
  }
}

function move(run: LiveRun, event: RunEvent, detail: JsonObject, pausedFor: LiveRun['pausedFor']): void {
  run.state = nextRunState(run.state, event)
  run.amendRun({ pausedFor })
  run.move(event, detail)
}

function resume(run: LiveRun, by: string): void {
  // Whoever lets a run go on that its budget holds lets it spend more.
  if (run.pausedFor === 'budget') run.amendRun({ overBudget: true })
  move(run, run.startedAt === null ? 'requeue' : 'resume', { by }, null)
}

/** A run that has ended is queued once more; one that goes on takes the tasks up at once. */
function goOn(run: LiveRun, detail: JsonObject, at: number): void {
  run.recount()
  if (!isEnded(run.state)) {
    begin(run, at)
    return
  }
  run.cancelled = false
  run.doomed = false
  // Whoever takes a run up after its deadline knows that it is late: it is not ended for that at once.
  const { deadline } = run.pipeline
  if (deadline !== undefined && run.record.dueAt + deadline.after <= at) run.amendRun({ overdue: true })
  run.state = nextRunState(run.state, 'retry')
  run.move('retry', detail)
}

function retry(
  run: LiveRun,
  { nodes, fromCheckpoint }: Wish & { kind: 'retry' },
  { by, at }: Wisher,
): Granted {
  if (run.state === 'succeeded') return done
  const again = reset(run, nodes, at, fromCheckpoint)
  if (again.length > 0) goOn(run, { by, tasks: again.length }, at)
  return done
}

function mark(run: LiveRun, { nodes, as, reason }: Wish & { kind: 'mark' }, { by, at }: Wisher): Granted {
  if (run.state === 'succeeded') return done
  const detail = { by, reason }
  const stop: Node[] = []
  for (const index of nodes) {
    const node = run.nodes[index]
    if (node === undefined || node.state === 'succeeded' || node.role === 'aggregate') continue
    if (isSettled(node)) continue
    const late = isEnded(node.state)
    if (as === 'failed') {
      if (late) continue
      stop.push(...holdersIn(node))
      const failure = { kind: 'user', message: `marked as failed by ${by}: ${reason}` } as const
      apply(run, node, 'mark_failed', at, { patch: { failure }, detail })
      continue
    }
    stop.push(...holdersIn(node))
    const patch = { outputs: outputsOf(node), failure: null }
    if (!late) {
      apply(run, node, 'mark_succeeded', at, { patch, detail })
      continue
    }
    // What needs it, and what it stands in, knew of its end already: the recount settles what follows from the new one.
    transition(run, node, 'mark_succeeded', at, { patch, detail })
    resetBelow(run, node, at)
    goOn(run, detail, at)
  }
  return { done: true, stop }
}

/** What a task gives that a person says succeeded: nothing of its own; of a mapped task what its instances gave. */
function outputsOf({ role, inside }: Node): readonly Node['outputs'][] | JsonObject {
  if (role !== 'mapped') return {}
  return (inside?.children ?? []).map((child) => (child.state === 'succeeded' ? child.outputs : null))
}

function holdersIn(node: Node): Node[] {
  if (node.holding) return [node]
  return (node.inside?.children ?? []).flatMap(holdersIn)
}

function answer(run: LiveRun, wish: Wish & { kind: 'answer' }, { by, at }: Wisher): Granted {
  const node = run.nodes[wish.node]
  if (node === undefined || isEnded(node.state) || node.attempt > wish.attempt) return done
  const question = node.state === 'sleeping' ? node.wakeOn?.person : undefined
  // Somebody else answered already, or nothing is asked yet.
  if (question === undefined) return { done: node.state !== 'running', stop: [] }
  const { decision, values, reason } = wish
  const why = reason === undefined ? {} : { reason }
  if (question.kind !== 'hold') {
    const carried =
      typeof node.carry === 'object' && node.carry !== null && !Array.isArray(node.carry) ? node.carry : {}
    const carry = { ...carried, answer: { decision, values, ...why, by, at } }
    apply(run, node, 'wake', at, {
      patch: { wakeAt: null, wakeOn: null, carry },
      detail: { by, decision, ...why },
    })
  } else if (decision === 'approve') {
    apply(run, node, 'resume_hold', at, {
      patch: { wakeOn: null, recovery: renewed(node) },
      detail: { by, ...why },
    })
  } else {
    const { kind = 'user', message = 'rejected' } = node.failure ?? {}
    const said = reason === undefined ? '' : `: ${reason}`
    const failure = { kind, message: `${message} (${by} decided not to go on${said})` }
    apply(run, node, 'fail', at, { patch: { failure }, detail: { ...failure, by } })
  }
  return done
}

/** The recovery of the kind that a person lets try again may be tried as often as before. */
function renewed({ recovery, failure }: Node): Node['recovery'] {
  if (recovery === null || failure === null) return recovery
  return { ...recovery, counts: { ...recovery.counts, [failure.kind]: 0 } }
}
