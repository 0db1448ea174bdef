/** Runs operators' code: checks what goes in and comes out, and classifies what is thrown. Knows nothing of processes. */
import type { JsonObject } from '../engine/json.ts'
import type { Outcome } from '../engine/outcome.ts'
import type { Attempt, AttemptEvent, HostHooks, OperatorHost } from '../engine/runtime/runtime.ts'
import { failed, type Operator, OperatorFailure } from './api.ts'
import { type ContextHooks, makeContext } from './context.ts'
import { errorCode, kindOfCode } from './errno.ts'
import { jsonFault } from './json-fault.ts'
import { type Check, checkOf } from './schema-check.ts'

/** Where operators come from: the built-in ones, and plugins'. */
export interface Operators {
  find(name: string, version: number): Promise<Operator | undefined>
}

/** An operator with its compiled schemas. */
interface Prepared {
  readonly operator: Operator
  readonly input: Check
  readonly output: Check
}

/** Runs the operators of a catalogue. */
export class Host implements OperatorHost {
  readonly #operators: Operators
  readonly #prepared = new Map<string, Promise<Prepared | undefined>>()

  constructor(operators: Operators) {
    this.#operators = operators
  }

  async command(operator: Attempt['operator'], input: JsonObject): Promise<readonly string[] | null> {
    const prepared = await this.#prepare(operator)
    if (prepared === undefined) throw missing(operator)
    if (prepared.operator.command === undefined) return null
    return prepared.operator.command(checkedInput(prepared, input))
  }

  /** Tests replace the clock and the pace of progress. */
  async run(attempt: Attempt, hooks: HostHooks & Pick<ContextHooks, 'clock' | 'pace'>): Promise<Outcome> {
    try {
      const prepared = await this.#prepare(attempt.operator)
      if (prepared === undefined) throw missing(attempt.operator)
      const { run } = prepared.operator
      if (run === undefined) {
        return failed(
          'invalid_input',
          `operator ${attempt.operator.name} is a command: it runs in a process, not in the engine`,
        )
      }
      const input = checkedInput(prepared, attempt.input)
      const context = makeContext(attempt, hooks)
      try {
        return checkedOutcome(prepared, await run(input, context))
      } finally {
        await context.dispose()
      }
    } catch (error) {
      return classify(error, hooks.listen)
    }
  }

  #prepare({ name, version }: Attempt['operator']): Promise<Prepared | undefined> {
    const key = `${name}@${version}`
    let prepared = this.#prepared.get(key)
    if (prepared === undefined) {
      prepared = this.#load(name, version)
      this.#prepared.set(key, prepared)
    }
    return prepared
  }

  async #load(name: string, version: number): Promise<Prepared | undefined> {
    const operator = await this.#operators.find(name, version)
    if (operator === undefined) return undefined
    const [input, output] = await Promise.all([checkOf(operator.input), checkOf(operator.output)])
    return { operator, input, output }
  }
}

function missing({ name, version }: Attempt['operator']): OperatorFailure {
  return new OperatorFailure(
    'invalid_input',
    `there is no operator ${name}@${version}; see \`dagctl operators\``,
  )
}

/** A copy of the input with the schema's defaults in it. */
function checkedInput({ operator, input: check }: Prepared, input: JsonObject): JsonObject {
  const copy = structuredClone(input)
  const fault = check(copy)
  if (fault !== null)
    throw new OperatorFailure('invalid_input', `the input of ${operator.name} does not fit: ${fault}`)
  return copy
}

function checkedOutcome({ operator, output: check }: Prepared, outcome: Outcome): Outcome {
  switch (outcome?.type) {
    case 'succeeded': {
      const fault = jsonFault(outcome.outputs, 'outputs') ?? check(outcome.outputs)
      return fault === null
        ? outcome
        : failed('invalid_input', `${operator.name} returned outputs that its schema refuses: ${fault}`)
    }
    case 'sleep': {
      const fault = jsonFault(outcome.state, 'state')
      if (fault !== null)
        return failed('user', `${operator.name} went to sleep with a state that is not JSON: ${fault}`)
      return Number.isFinite(outcome.until)
        ? outcome
        : failed('user', `${operator.name} went to sleep until ${outcome.until}, which is no time`)
    }
    case 'failed':
    case 'skipped':
      return outcome
    default:
      return failed(
        'user',
        `${operator.name} returned no outcome but ${JSON.stringify(outcome) ?? 'undefined'}`,
      )
  }
}

/** A thrown error as an outcome. An unknown one is `user`, with its stack in the attempt's log. */
export function classify(error: unknown, listen: (event: AttemptEvent) => void): Outcome {
  if (error instanceof OperatorFailure) return failed(error.kind, error.message)
  const message =
    error instanceof Error ? error.message : `something that is no error was thrown: ${String(error)}`
  const kind = kindOfCode(errorCode(error))
  if (kind !== undefined) return failed(kind, message)
  if (error instanceof Error && error.stack !== undefined)
    listen({ type: 'log', level: 'error', message: error.stack })
  return failed('user', message)
}
