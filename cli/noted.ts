/** What the audit log is to say of what a command did: by whom, under a chain of the command's own. */

import type { Note } from '../engine/audit/log.ts'
import type { JsonObject } from '../engine/json.ts'
import { newId } from '../engine/run-id.ts'
import { personOf } from './person.ts'
import type { Terminal } from './terminal.ts'

/** The chain of each command that noted something. */
const chains = new WeakMap<Terminal, string>()

/** A note of one thing that was done by this command. @param who the person who gives the command when absent */
export function noteOf(
  terminal: Terminal,
  what: string,
  subject: { readonly [kind: string]: string },
  detail: JsonObject = {},
  who = personOf(terminal),
): Note {
  const { clock, random } = terminal
  const chain = chains.get(terminal) ?? newId(clock, random)
  chains.set(terminal, chain)
  return { chain, drafts: [{ what, who, subject, detail }], at: clock.now() }
}
