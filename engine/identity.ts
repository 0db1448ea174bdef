/** Who this process is, and whether another on this host still lives: pid, start time and boot id. Linux and macOS. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

/** A process as it can be told from every other, also after its pid was used again. */
export interface ProcessIdentity {
  readonly host: string
  readonly pid: number
  /** The kernel's ticks since boot (Linux) or the start as `ps` prints it. */
  readonly startTime: string
  readonly bootId: string
}

/** This process. */
export function ownIdentity(): ProcessIdentity {
  return { host: hostname(), pid: process.pid, startTime: startTimeOf(process.pid) ?? '', bootId: bootId() }
}

/** Whether the process is certainly gone. A process of another host is never certain: its lease has to run out. */
export function isGone(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return false
  return identity.bootId !== bootId() || startTimeOf(identity.pid) !== identity.startTime
}

/** When the process with this pid started, or null where there is none. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The command's name, in parentheses, may hold anything: fields count from behind its end. 22 is starttime, 3 the state.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? null : (fields[19] ?? null)
  } catch {
    return process.platform === 'linux' ? null : startTimeByPs(pid)
  }
}

/** Changes with each boot; empty where the system does not tell. */
export function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim()
  } catch {
    return ''
  }
}

function startTimeByPs(pid: number): string | null {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'latin1' }).trim() || null
  } catch {
    return null
  }
}
