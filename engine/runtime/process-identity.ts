/** Which process it is, beyond its number: numbers are reused. Knows nothing of attempts. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Clock } from '../clock.ts'

/** A process, for as long as this machine runs. */
export interface ProcessIdentity {
  readonly pid: number
  /** When it started, in the system's own words; only compared. */
  readonly startTime: string
  /** Another after each start of the machine. */
  readonly bootId: string
}

const hasProc = existsSync('/proc/self/stat')
let boot: string | undefined

/** This start of the machine. */
export function bootId(): string {
  boot ??= hasProc
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim()
  return boot
}

/** The fields of /proc/PID/stat after the name in brackets, which may hold anything; see proc_pid_stat(5). */
interface Stat {
  readonly state: string
  readonly group: number
  readonly startTime: string
}

function statOf(pid: number): Stat | null {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    // ENOENT, or ESRCH where it goes while being read: either way it is gone.
    return null
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  // Field 3 of the manual page is the first one here: state; 5 is the group, 22 the start time.
  return { state: fields[0] ?? '', group: Number(fields[2]), startTime: fields[19] ?? '' }
}

/** The identity of a process that runs now; null where none of this number does. A zombie does not run. */
export function identify(pid: number): ProcessIdentity | null {
  if (hasProc) {
    const found = statOf(pid)
    return found === null || found.state === 'Z' || found.state === 'X'
      ? null
      : { pid, startTime: found.startTime, bootId: bootId() }
  }
  try {
    const startTime = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim()
    return startTime === '' ? null : { pid, startTime, bootId: bootId() }
  } catch {
    // ps exits 1 where there is no such process.
    return null
  }
}

/** Whether this very process still runs. */
export function isAlive(identity: ProcessIdentity): boolean {
  const now = identify(identity.pid)
  return now !== null && now.startTime === identity.startTime && now.bootId === identity.bootId
}

/** Whether any process of the group runs. Zombies do not: where nobody reaps, they stay for ever. */
function groupIsAlive(group: number): boolean {
  if (!hasProc) return signalGroup(group, 0)
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid)) continue
    const found = statOf(pid)
    if (found !== null && found.group === group && found.state !== 'Z' && found.state !== 'X') return true
  }
  return false
}

/** Milliseconds between two looks whether the last process of a group is gone: the system tells nobody. */
const groupLook = 20

/** Resolves when nothing of the group runs any more, or nobody cares. */
export function groupGone(
  group: number,
  clock: Clock,
  forgotten: () => boolean = () => false,
): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!forgotten() && groupIsAlive(group)) clock.at(clock.now() + groupLook, look)
      else resolve()
    }
    look()
  })
}

/** Signals a whole process group; false where it is gone already. */
export function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal)
    return true
  } catch (error) {
    // EPERM on macOS means: only zombies are left.
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ESRCH' || code === 'EPERM') return false
    throw error
  }
}

let memoryEvents: string | null | undefined

/** Where the kernel counts for this process' control group (cgroup v2); null where it does not. */
function memoryEventsFile(): string | null {
  try {
    const path = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1]
    const file = `/sys/fs/cgroup${path}/memory.events`
    return path !== undefined && existsSync(file) ? file : null
  } catch {
    // No control groups here.
    return null
  }
}

/**
 * How many processes of this process' control group the kernel killed for want of memory so far (memory.events
 * `oom_kill`); null where the system does not count them.
 */
export function oomKills(): number | null {
  if (memoryEvents === undefined) memoryEvents = memoryEventsFile()
  if (memoryEvents === null) return null
  try {
    const events = readFileSync(memoryEvents, 'utf8')
    const count = /^oom_kill (\d+)$/m.exec(events)?.[1]
    return count === undefined ? null : Number(count)
  } catch {
    // The group is gone: this process was moved.
    return null
  }
}
