/** Which process on which host an engine is, and whether another engine is certainly gone. */
import { hostname } from 'node:os'
import { bug } from './errors.ts'
import { identify, isAlive, type ProcessIdentity } from './runtime/process-identity.ts'

/** A process as it can be told from every other, also after its pid was used again. */
export interface EngineIdentity extends ProcessIdentity {
  readonly host: string
}

/** This process. */
export function ownIdentity(): EngineIdentity {
  const own = identify(process.pid)
  if (own === null) throw bug('this process is not in the table of processes')
  return { host: hostname(), ...own }
}

/** Whether the process is certainly gone. One of another host is never certain to be: its lease has to run out. */
export function isGone(engine: EngineIdentity): boolean {
  return engine.host === hostname() && !isAlive(engine)
}
