/** `task.spawn`: a command of an operator, its output in the attempt's logs. Knows nothing of what the command means. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { baseEnvironment } from '../engine/runtime/base-environment.ts'
import type { Attempt } from '../engine/runtime/runtime.ts'
import { OperatorFailure } from './api.ts'
import { errorCode, fileFailure } from './errno.ts'

/** Where a spawned command belongs. */
interface SpawnHooks {
  readonly signal: AbortSignal
  readonly group?: (pid: number) => () => void
  readonly spawned?: () => void
}

/**
 * Runs a command in the attempt's `cwd`, with the task's environment; resolves with how it ended.
 * An abort of the task is a SIGTERM to it and its children; SIGKILL comes from the runtime at the end of the grace.
 * Throws `invalid_input` where the command cannot be started.
 */
export function spawnCommand(
  attempt: Attempt,
  hooks: SpawnHooks,
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  hooks.signal.throwIfAborted()
  mkdirSync(attempt.folder, { recursive: true })
  const out = openSync(`${attempt.folder}/stdout.log`, 'a')
  const err = openSync(`${attempt.folder}/stderr.log`, 'a')
  const ownGroup = hooks.group !== undefined
  const child = spawn(command, args, {
    cwd: attempt.cwd,
    env: { ...baseEnvironment(), ...attempt.env },
    stdio: ['ignore', out, err],
    detached: ownGroup,
  })
  hooks.spawned?.()
  closeSync(out)
  closeSync(err)
  const terminate = () => terminateGroup(child, ownGroup)
  const ended = child.pid === undefined ? undefined : hooks.group?.(child.pid)
  hooks.signal.addEventListener('abort', terminate, { once: true })
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      const kind = errorCode(error) === 'ENOENT' || errorCode(error) === 'EACCES' ? 'invalid_input' : 'user'
      reject(error instanceof OperatorFailure ? error : fileFailure(error, kind, 'cannot start', command))
    })
    child.on('exit', (code, signal) => {
      ended?.()
      hooks.signal.removeEventListener('abort', terminate)
      resolve({ code, signal })
    })
  })
}

function terminateGroup(child: ChildProcess, ownGroup: boolean): void {
  if (!ownGroup || child.pid === undefined) {
    child.kill('SIGTERM')
    return
  }
  try {
    process.kill(-child.pid, 'SIGTERM')
  } catch (error) {
    // It ended between the abort and here.
    if (errorCode(error) !== 'ESRCH') throw error
  }
}
