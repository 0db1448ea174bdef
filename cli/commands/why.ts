/** `dagctl why RUN TASK`: why a task is not running, or not done; why it ended as it did. Reads the store, whoever owns the run. */
import { exits } from '../../engine/errors.ts'
import type { Answer, Reason } from '../../engine/why/facts.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { instantOf, oneLine, painted, paintFor, shortTime } from '../print.ts'
import { nodesOf, taskIndex } from '../task-words.ts'
import type { Terminal } from '../terminal.ts'
import { noSuchRun, reading } from '../wiring.ts'

/** Declares `dagctl why`. */
export const why: Declare = (command, context) => {
  command
    .argument('<run>', 'the id of a run')
    .argument('<task>', 'its id, id[KEY] for one instance, group[K1].id[K2] in groups')
    .addHelpText(
      'after',
      '\nNames the need, limit, pool, time, event, budget or person that the task waits for (docs/why-plan-diff.md).',
    )
    .addHelpText(
      'after',
      examples('why 20261123-154017-x7qk3m train', "why 20261123-154017-x7qk3m 'mask[shard-3]' --json"),
    )
    .action(action(context, ask))
}

async function ask({ terminal, settings }: Call, id: string, word: string): Promise<number> {
  const [{ factsOf }, { nodeNamed, whyNotMade, whyOf }, { isGone }] = await Promise.all([
    import('../../engine/why/read.ts'),
    import('../../engine/why/why.ts'),
    import('../../engine/identity.ts'),
  ])
  const { resources } = settings.installation
  const answer = await reading(settings, async (store) => {
    const run = await store.run(id)
    if (run === null) throw noSuchRun(id)
    const facts = await factsOf(store, run, { at: terminal.clock.now(), resources, isGone })
    const named = nodeNamed(facts, word)
    if (named !== null) return whyOf(facts, named)
    const [, task, key] = /^([^[]+)\[(.*)\]$/.exec(word) ?? []
    const unmade =
      task === undefined || key === undefined ? null : whyNotMade(facts, taskIndex(facts.pipeline, task), key)
    if (unmade !== null) return unmade
    // The first of those that it names otherwise; where it names none, this says what there is instead.
    const [first = 0] = nodesOf(facts.pipeline, facts.tasks, word)
    return whyOf(facts, first)
  })
  if (settings.json) printJson(terminal, documentOf(answer))
  else print(answer, word, terminal)
  return exits.ok
}

/** The document of `why`. */
function documentOf({ state, waitsFor }: Answer): object {
  return {
    state,
    waitsFor: waitsFor.map(({ kind, what, since, until }) => ({
      kind,
      what,
      since: instantOf(since),
      until: instantOf(until),
    })),
  }
}

function print({ state, waitsFor, because }: Answer, word: string, { out, env }: Terminal): void {
  const paint = paintFor(out, env)
  out.write(`${word}: ${painted(state, paint)}\n`)
  if (because !== null) out.write(`  ${oneLine(because)}\n`)
  for (const reason of waitsFor)
    out.write(`  ${paint.cyan(reason.kind)}: ${oneLine(reason.what)}${paint.dim(timesOf(reason))}\n`)
}

function timesOf({ since, until }: Reason): string {
  const times = [
    ...(since === null ? [] : [`since ${shortTime(since)}`]),
    ...(until === null ? [] : [`until ${shortTime(until)}`]),
  ]
  return times.length === 0 ? '' : ` [${times.join(', ')}]`
}
