/** Starts a command by Node itself, below a shell that writes its ending: where there is no Perl for the launcher. */
import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { fileOf, writeWhole } from './attempt-folder.ts'
import { baseEnvironment } from './base-environment.ts'
import { exitOfShell } from './classify.ts'
import { identify } from './process-identity.ts'
import type { WatchedAttempt } from './watched-attempt.ts'

/** A command whose folders are made. */
export interface PreparedCommand {
  readonly argv: readonly string[]
  /** Over the engine's own environment. */
  readonly env: { readonly [name: string]: string }
  /** As `process.json` keeps it. */
  readonly oomKills: number | null
}

/**
 * `sh -c SUPERVISOR dagctl FOLDER COMMAND ARGS…`. It waits for one line, so that no command ever begins whose process
 * is not on record: where the engine dies before, `read` meets the end of the pipe; nor one that was given up meanwhile. A
 * trap that is set is reset in the command, one that ignores would be inherited. The ending is one write of one line, of
 * which no part is JSON, so that nobody takes half of it for an ending: `mv` would be one more process. At the end, what the
 * command left running in the group is killed, the supervisor with it, unless the engine asked for a stop: then it has the
 * rest of the grace.
 */
export const supervisor = `
read -r go || exit 75
folder=$1
shift
[ -e "$folder/abandoned" ] && exit 75
trap : TERM HUP INT
(exec "$@") </dev/null
code=$?
if printf '{"code":%d}\\n' "$code" >"$folder/ending.json"
then [ -e "$folder/stopping" ] || kill -KILL 0
fi
exit "$code"
`

/** Starts the command; the exit of its supervisor ends the attempt. Returns what lets go of it. Throws system errors. */
export function spawnSupervised(
  watched: WatchedAttempt,
  { argv, env, oomKills }: PreparedCommand,
): () => void {
  const { attempt } = watched
  const logs = [fileOf(attempt, 'stdout'), fileOf(attempt, 'stderr')].map((log) => openSync(log, 'a', 0o600))
  const start = () =>
    spawn('/bin/sh', ['-c', supervisor, 'dagctl', attempt.folder, ...argv], {
      cwd: attempt.cwd,
      env: { ...baseEnvironment(), ...env },
      detached: true,
      stdio: ['pipe', ...logs],
    })
  let child: ReturnType<typeof start>
  try {
    child = start()
  } finally {
    for (const log of logs) closeSync(log)
  }
  child.on('error', (error) =>
    watched.settle({ type: 'failed', kind: 'crash', message: `cannot start a process: ${error.message}` }),
  )
  child.on('exit', (code, signal) => watched.end(code === null ? { code, signal } : exitOfShell(code)))
  // Where the supervisor is gone before it reads, its exit says so.
  child.stdin?.on('error', () => {})
  const identity = child.pid === undefined ? null : identify(child.pid)
  if (identity !== null) {
    const process = { type: 'command', ...identity, oomKills, supervisor: null } as const
    writeWhole(attempt, 'process', process)
    watched.leads(process)
    watched.follow()
    child.stdin?.end('go\n')
  }
  return () => child.unref()
}
