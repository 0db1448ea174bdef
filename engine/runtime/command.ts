/** Starts a command for an attempt, below a supervisor that outlives the engine. Knows nothing of operators' code or of the outcome. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'
import { adopt, attend } from './attached.ts'
import { type AttemptProcess, createFolder, fileOf } from './attempt-folder.ts'
import { checkpointFor, NoSuchCheckpoint, type VerifiedCheckpoint } from './checkpoint-folder.ts'
import { stoppedBefore } from './classify.ts'
import { bootId, oomKills } from './process-identity.ts'
import type { Attempt } from './runtime.ts'
import { type PreparedCommand, spawnSupervised } from './supervised.ts'
import type { SupervisorPool } from './supervisor-pool.ts'
import type { WatchedAttempt } from './watched-attempt.ts'

/**
 * Starts `argv` for the attempt; the ending of its process ends the attempt. By a warm supervisor, or by Node itself
 * where there is no Perl for one. Returns what lets go of the attempt. Throws system errors.
 */
export async function startCommand(
  watched: WatchedAttempt,
  argv: readonly string[],
  supervisors: SupervisorPool,
  clock: Clock,
): Promise<() => void> {
  const prepared = await prepare(watched, argv)
  // Whoever let go of it meanwhile starts nothing: the next engine finds that it has not begun.
  if (prepared === null || watched.released) return () => {}
  if (watched.stopping !== null) {
    watched.settle(stoppedBefore(watched.stopping))
    return () => {}
  }
  return supervisors.usable
    ? launch(watched, prepared, supervisors, clock)
    : spawnSupervised(watched, prepared)
}

/** Makes the folders and writes the input; null where the attempt ended by that. */
async function prepare(watched: WatchedAttempt, argv: readonly string[]): Promise<PreparedCommand | null> {
  const { attempt } = watched
  createFolder(attempt)
  // Nobody reads it before the command begins.
  writeFileSync(fileOf(attempt, 'input'), JSON.stringify(attempt.input), { mode: 0o600 })
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
  if (restored === undefined) return null
  return { argv, env: environment(attempt, restored), oomKills: oomKills() }
}

function launch(
  watched: WatchedAttempt,
  { argv, env, oomKills }: PreparedCommand,
  supervisors: SupervisorPool,
  clock: Clock,
): () => void {
  const { folder, cwd } = watched.attempt
  const record = { bootId: bootId(), oomKills }
  let begun: AttemptProcess | null = null
  let release = () => {}
  watched.follow()
  const kill = supervisors.start(
    { folder, cwd, env, argv, record },
    {
      started: (command, supervisor) => {
        const by = { ...supervisor, bootId: record.bootId }
        begun = { type: 'command', ...command, ...record, supervisor: by }
        watched.leads(begun)
      },
      ended: (code) => void watched.told(code),
      failed: (why) =>
        watched.settle({ type: 'failed', kind: 'crash', message: `cannot start a process: ${why}` }),
      lost: () => {
        release = begun === null ? adopt(watched, clock) : attend(watched, begun, clock).release
      },
    },
  )
  watched.endsBy(kill)
  return () => release()
}

/** The protocol's variables over the task's own. */
function environment(
  attempt: Attempt,
  restored: VerifiedCheckpoint | null,
): { readonly [name: string]: string } {
  const { run, task } = attempt
  return {
    // A shell would set it; a program that is started without one finds it right, too.
    PWD: attempt.cwd,
    ...attempt.env,
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
  }
}
