/** Who gives a command: the name that is noted beside what a person asks of a run. */
import { userInfo } from 'node:os'
import type { Terminal } from './terminal.ts'

/** The name that was given, else the user's. */
export function personOf({ env }: Terminal, given?: string): string {
  if (given !== undefined && given !== '') return given
  try {
    return userInfo().username
  } catch {
    // The system has no entry for this user, as in many containers.
    return env.USER || 'unknown'
  }
}
