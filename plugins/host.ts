/** Runs operators' code: checks what goes in and comes out, and classifies what is thrown. Knows nothing of processes. */
import type { JsonObject } from '../engine/json.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { Attempt, AttemptEvent, HostHooks, OperatorHost } from '../engine/runtime/runtime.ts'
import { type EngineServices, failed, type Operator, OperatorFailure } from './api.ts'
import { type ContextHooks, makeContext } from './context.ts'
import { errorCode, kindOfCode } from './errno.ts'
import { checkedOutcome } from './outcome-check.ts'
import { type Check, checkOf } from './schema-check.ts'

/** Where operators come from: the built-in ones, and plugins'. */
export interface Operators {
  find(name: string, version: number): Promise<Operator | undefined>
}

/** A catalogue module's operators, each loaded when it is first used (operators/catalogue.ts is one). */
export function operatorsOf(
  ...catalogues: readonly { readonly [name: string]: () => Promise<Operator> }[]
): Operators {
  return {
    async find(name, version) {
      for (const catalogue of catalogues) {
        const load = Object.hasOwn(catalogue, name) ? catalogue[name] : undefined
        const operator = await load?.()
        if (operator !== undefined && (operator.version ?? 1) === version) return operator
      }
      return undefined
    },
  }
}

/** The compiled schemas of an operator. */
interface Prepared {
  readonly operator: Operator
  readonly input: Check
  readonly output: Check
}

/** Runs the operators of a catalogue. */
export class Host implements OperatorHost {
  readonly #operators: Operators
  readonly #services: EngineServices | null
  readonly #prepared = new Map<string, Promise<Prepared>>()

  /** @param services what inline operators may ask of the engine; null where this is not its process */
  constructor(operators: Operators, services: EngineServices | null = null) {
    this.#operators = operators
    this.#services = services
  }

  async command(operator: Attempt['operator'], input: JsonObject): Promise<readonly string[] | null> {
    // Asked in the engine for every attempt: an operator that is code costs it no compiled schema.
    const found = await this.#find(operator)
    return found.command === undefined
      ? null
      : found.command(checkedInput(await this.#prepare(operator), input))
  }

  async outputs(operator: Attempt['operator'], outputs: JsonObject): Promise<Outcome> {
    try {
      const { output } = await this.#prepare(operator)
      return checkedOutcome(operator.name, { type: 'succeeded', outputs }, output)
    } catch (error) {
      return classify(error, () => {})
    }
  }

  /** Tests replace the clock and the pace of progress. */
  async run(attempt: Attempt, hooks: HostHooks & Pick<ContextHooks, 'clock' | 'pace'>): Promise<Outcome> {
    try {
      const prepared = await this.#prepare(attempt.operator)
      const { run } = prepared.operator
      if (run === undefined) {
        return failed(
          'invalid_input',
          `operator ${attempt.operator.name} is a command: it runs in a process, not in the engine`,
        )
      }
      const input = checkedInput(prepared, attempt.input)
      const context = makeContext(attempt, hooks, attempt.runtime === 'inline' ? this.#services : null)
      try {
        return checkedOutcome(attempt.operator.name, await run(input, context), prepared.output)
      } finally {
        await context.dispose()
      }
    } catch (error) {
      return classify(error, hooks.listen)
    }
  }

  #prepare(operator: Attempt['operator']): Promise<Prepared> {
    const key = `${operator.name}@${operator.version}`
    let prepared = this.#prepared.get(key)
    if (prepared === undefined) {
      prepared = this.#load(operator)
      this.#prepared.set(key, prepared)
      // A failure to load is not kept: the next attempt tries again.
      prepared.catch(() => this.#prepared.delete(key))
    }
    return prepared
  }

  async #find({ name, version }: Attempt['operator']): Promise<Operator> {
    const operator = await this.#operators.find(name, version)
    if (operator === undefined) {
      throw new OperatorFailure(
        'invalid_input',
        `there is no operator ${name}@${version}; see \`dagctl operators\``,
      )
    }
    return operator
  }

  async #load(id: Attempt['operator']): Promise<Prepared> {
    const operator = await this.#find(id)
    const [input, output] = await Promise.all([checkOf(operator.input), checkOf(operator.output)])
    return { operator, input, output }
  }
}

/** A copy of the input with the schema's defaults in it. */
function checkedInput({ operator, input: check }: Prepared, input: JsonObject): JsonObject {
  const copy = structuredClone(input)
  const fault = check(copy)
  if (fault !== null)
    throw new OperatorFailure('invalid_input', `the input of ${operator.name} does not fit: ${fault}`)
  return copy
}

/** A thrown error as an outcome. An unknown one is `user`, with its stack in the attempt's log. */
export function classify(error: unknown, listen: (event: AttemptEvent) => void): Outcome {
  if (error instanceof OperatorFailure) return failed(error.kind, error.message, error.retryAfter)
  const message =
    error instanceof Error ? error.message : `something that is no error was thrown: ${String(error)}`
  const kind = kindOfCode(errorCode(error))
  if (kind !== undefined) return failed(kind, message)
  if (error instanceof Error && error.stack !== undefined)
    listen({ type: 'log', level: 'error', message: error.stack })
  return failed('user', message)
}
