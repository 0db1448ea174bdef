/** Starts a command under a supervisor that outlives the engine. Knows nothing of operators' code or of the outcome. */
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs'
import { createFolder, fileOf, writeWhole } from './attempt-folder.ts'
import { baseEnvironment } from './base-environment.ts'
import { checkpointFor, NoSuchCheckpoint, type VerifiedCheckpoint } from './checkpoint-folder.ts'
import { exitOfShell } from './classify.ts'
import { identify, oomKills } from './process-identity.ts'
import type { Attempt } from './runtime.ts'
import type { WatchedAttempt } from './watched-attempt.ts'

/**
 * `sh -c SUPERVISOR dagctl FOLDER COMMAND ARGS…`. It waits for one line, so that no command ever begins whose process
 * is not on record: where the engine dies before, `read` meets the end of the pipe. A trap that is set is reset in the
 * command, one that ignores would be inherited. The ending is one write of one line, of which no part is JSON, so that
 * nobody takes half of it for an ending: `mv` would be one more process. At the end, what the command left running in
 * the group is killed, the supervisor with it, unless the engine asked for a stop: then it has the rest of the grace.
 */
export const supervisor = `
read -r go || exit 75
trap : TERM HUP INT
folder=$1
shift
(exec "$@") </dev/null
code=$?
if printf '{"code":%d}\\n' "$code" >"$folder/ending.json"
then [ -e "$folder/stopping" ] || kill -KILL 0
fi
exit "$code"
`

/** Starts `argv` for the attempt; the ending of its process ends the attempt. Throws system errors. */
export async function startCommand(watched: WatchedAttempt, argv: readonly string[]): Promise<() => void> {
  const { attempt } = watched
  createFolder(attempt)
  writeWhole(attempt, 'input', attempt.input)
  for (const folder of [fileOf(attempt, 'work'), fileOf(attempt, 'checkpointOut'), attempt.artifacts]) {
    mkdirSync(folder, { recursive: true })
  }
  if (!statSync(attempt.cwd).isDirectory()) throw new Error(`${attempt.cwd} is not a folder`)
  const skipped = (name: string, why: string) =>
    watched.tell({ type: 'log', level: 'warn', message: `${name} is not used: ${why}` })
  const restored = await checkpointFor(attempt, skipped).catch((error) => {
    if (!(error instanceof NoSuchCheckpoint)) throw error
    watched.settle({ type: 'failed', kind: 'invalid_input', message: error.message })
    return undefined
  })
  if (restored === undefined) return () => {}
  const env = environment(attempt, restored)
  if (watched.stopping !== null) {
    watched.settle(stoppedBefore(watched.stopping))
    return () => {}
  }
  const out = openSync(fileOf(attempt, 'stdout'), 'a', 0o600)
  const err = openSync(fileOf(attempt, 'stderr'), 'a', 0o600)
  closeSync(openSync(fileOf(attempt, 'events'), 'a', 0o600))
  const kills = oomKills()
  const child = spawn('/bin/sh', ['-c', supervisor, 'dagctl', attempt.folder, ...argv], {
    cwd: attempt.cwd,
    env,
    detached: true,
    stdio: ['pipe', out, err],
  })
  closeSync(out)
  closeSync(err)
  child.on('error', (error) =>
    watched.settle({ type: 'failed', kind: 'crash', message: `cannot start a process: ${error.message}` }),
  )
  child.on('exit', (code, signal) => watched.end(code === null ? { code, signal } : exitOfShell(code)))
  // Where the supervisor is gone before it reads, its exit says so.
  child.stdin?.on('error', () => {})
  const identity = child.pid === undefined ? null : identify(child.pid)
  if (identity !== null) {
    const process = { type: 'command', ...identity, oomKills: kills } as const
    writeWhole(attempt, 'process', process)
    watched.leads(process)
    watched.follow()
    child.stdin?.end('go\n')
  }
  return () => child.unref()
}

/** The outcome of an attempt that was asked to stop before its process began. */
export function stoppedBefore(reason: string) {
  return { type: 'failed', kind: 'crash', message: `stopped (${reason}) before it began` } as const
}

/** The protocol's variables over the task's own over the engine's. */
function environment(attempt: Attempt, restored: VerifiedCheckpoint | null): NodeJS.ProcessEnv {
  const { run, task } = attempt
  return Object.assign(baseEnvironment(), attempt.env, {
    DAGCTL_RUN_ID: run.id,
    DAGCTL_TASK_ID: task.id,
    DAGCTL_TASK_KEY: task.key ?? '',
    DAGCTL_ATTEMPT: String(task.attempt),
    DAGCTL_INTERVAL_START: run.interval.start,
    DAGCTL_INTERVAL_END: run.interval.end,
    DAGCTL_INPUT: fileOf(attempt, 'input'),
    DAGCTL_OUTPUT: fileOf(attempt, 'output'),
    DAGCTL_EVENTS: fileOf(attempt, 'events'),
    DAGCTL_CHECKPOINT: restored?.folder ?? '',
    DAGCTL_CHECKPOINT_STEP: restored === null ? '' : String(restored.step),
    DAGCTL_CHECKPOINT_OUT: fileOf(attempt, 'checkpointOut'),
    DAGCTL_ARTIFACTS: attempt.artifacts,
    DAGCTL_WORK: fileOf(attempt, 'work'),
  })
}
