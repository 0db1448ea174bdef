/** What the audit log is to say of what a command did: by whom, under a chain of the command's own. */

import type { Note } from '../engine/audit/log.ts'
import type { JsonObject } from '../engine/json.ts'
import { newId } from '../engine/run-id.ts'
import { personOf } from './person.ts'
import type { Terminal } from './terminal.ts'

/** A note of one thing that a person did by this command. */
export function noteOf(
  terminal: Terminal,
  what: string,
  subject: { readonly [kind: string]: string },
  detail: JsonObject = {},
): Note {
  const { clock, random } = terminal
  const who = personOf(terminal)
  return { chain: newId(clock, random), drafts: [{ what, who, subject, detail }], at: clock.now() }
}
