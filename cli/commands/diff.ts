/** `dagctl diff RUN_A RUN_B`: what differed between two runs of a pipeline. */
import { DagctlError, exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { reading, visible } from '../wiring.ts'

/** Declares `dagctl diff`. */
export const diff: Declare = (command, context) => {
  command
    .argument('<run-a>', 'the id of a run')
    .argument('<run-b>', 'the id of another run of the same pipeline')
    .addHelpText('after', '\nExits 0 also where they differ; the JSON document says so in `same`.')
    .addHelpText('after', examples('diff 20261123-154017-x7qk3m 20261124-020000-p2mw8c'))
    .action(action(context, compare))
}

async function compare({ terminal, settings }: Call, a: string, b: string): Promise<number> {
  const [{ subjectOf }, { diffOf }] = await Promise.all([import('../run-subject.ts'), import('../diff.ts')])
  const found = await reading(settings, async (store) => {
    const env = visible(terminal.env, settings.installation.env)
    const [first, second] = [await subjectOf(store, a, env), await subjectOf(store, b, env)]
    if (first.run.pipeline !== second.run.pipeline) {
      const message = `run ${a} is one of ${first.run.pipeline}, run ${b} one of ${second.run.pipeline}`
      const hint = 'name two runs of the same pipeline; see `dagctl runs list --pipeline NAME`'
      throw new DagctlError('E220', message, { kind: 'usage', hint })
    }
    return diffOf(first, second)
  })
  if (settings.json) printJson(terminal, found)
  else {
    const { printDiff } = await import('../diff-table.ts')
    await printDiff(found, terminal)
  }
  return exits.ok
}
