/** The stand-ins of a simulated run: operators that do what a test says, checked by their schemas as the real ones are. */
import { createEvaluator } from '../dsl/evaluator.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import { builtin } from '../operators/catalogue.ts'
import type { Operator } from '../plugins/api.ts'
import { Host, operatorsOf } from '../plugins/host.ts'
import type { Cast } from '../simulation/play.ts'

/** These touch nothing but the clock, and ask people: they are themselves unless the test says otherwise. */
const themselves: ReadonlySet<string> = new Set(['Noop', 'Wait', 'Approval'])

/** A cast for any number of runs, one after the other. */
export function makeCast(): Cast & { readonly host: Host } {
  const operators = operatorsOf(builtin)
  const cast: Cast & { readonly host: Host } = {
    evaluator: createEvaluator(),
    host: new Host({
      async find(name, version) {
        const operator = await operators.find(name, version)
        return operator && standIn(operator, cast)
      },
    }),
    stage: null,
  }
  return cast
}

/** Loads what the pipeline's tasks use, so that nothing is waited for once virtual time runs. */
export async function rehearse({ host }: { readonly host: Host }, { tasks }: Pipeline): Promise<void> {
  const used = tasks.flatMap(({ uses, version, recover = {} }) => [
    { name: uses, version },
    ...Object.values(recover).flatMap(({ fallback }) =>
      fallback === undefined ? [] : [{ name: fallback.uses, version: fallback.version }],
    ),
  ])
  for (const operator of used) await host.outputs(operator, {})
}

function standIn(operator: Operator, cast: Cast): Operator {
  const { run, command: _command, ...data } = operator
  return {
    ...data,
    run(input, task) {
      const { stage } = cast
      if (stage === null) throw new Error('no run is played')
      if (run !== undefined && themselves.has(operator.name) && !stage.says(task.signal))
        return run(input, task)
      return stage.perform(task.signal)
    },
  }
}
