/** Runtimes over the operators of test-operators.ts, and attempts for them. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../engine/clock.ts'
import type { JsonObject } from '../../engine/json.ts'
import { InlineRuntime } from '../../engine/runtime/inline.ts'
import { ProcessRuntime } from '../../engine/runtime/process.ts'
import { identify } from '../../engine/runtime/process-identity.ts'
import type { Attempt, AttemptEvent, Runtime } from '../../engine/runtime/runtime.ts'
import { Host, operatorsOf } from '../../plugins/host.ts'
import { makeAttempt, type TaskOptions } from './task-context.ts'
import { builtin } from './test-operators.ts'

export const host = new Host(operatorsOf(builtin))

/** A worker program over the test operators. */
export const worker = {
  module: fileURLToPath(import.meta.resolve('../../plugins/worker.ts')),
  args: ['--catalogue', import.meta.resolve('./test-operators.ts')],
}

export function inlineRuntime(): Runtime {
  return new InlineRuntime(host, systemClock)
}

export function processRuntime(retireAfter = 200): Runtime {
  return new ProcessRuntime({ host, clock: systemClock, worker: { ...worker, retireAfter } })
}

/** As on a machine that has no Perl: commands are started by Node itself. */
export function processRuntimeWithoutPerl(): Runtime {
  return new ProcessRuntime({ host, clock: systemClock, worker, perl: 'no-perl-here' })
}

/** An attempt of one of the test operators. */
export function attemptOf(
  name: string,
  input: JsonObject,
  options: TaskOptions & { runtime?: Attempt['runtime'] },
): Attempt {
  const attempt = makeAttempt({ ...options, input, operator: { name, version: 1 } })
  return { ...attempt, runtime: options.runtime ?? 'process' }
}

/** A listener that records, and can be waited for. */
export function listener() {
  const events: AttemptEvent[] = []
  const waiting: { readonly type: AttemptEvent['type']; readonly resolve: (event: AttemptEvent) => void }[] =
    []
  return {
    events,
    listen(event: AttemptEvent) {
      events.push(event)
      for (const one of waiting.splice(0)) one.type === event.type ? one.resolve(event) : waiting.push(one)
    },
    /** Resolves with the next event of this type, or the first that was. */
    heard(type: AttemptEvent['type']): Promise<AttemptEvent> {
      const found = events.find((event) => event.type === type)
      return found === undefined
        ? new Promise((resolve) => waiting.push({ type, resolve }))
        : Promise.resolve(found)
    },
    logs: () => events.flatMap((event) => (event.type === 'log' ? [event.message] : [])),
  }
}

/** Whether a process runs (zombies do not). */
export function runs(pid: number): boolean {
  return identify(pid) !== null
}

/** The number in a file that a process of a test wrote. */
export function pidIn(path: string): number {
  if (!existsSync(path)) throw new Error(`${path} was not written`)
  return Number(readFileSync(path, 'utf8'))
}
