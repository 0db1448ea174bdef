/** Runs one operator over one input, in this process, so that its memory can be measured alone. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builtin } from '../operators/catalogue.ts'
import { Host, operatorsOf } from '../plugins/host.ts'
import { makeAttempt } from '../test/support/task-context.ts'

const [name = '', input = '{}'] = process.argv.slice(2)
const dir = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
const attempt = makeAttempt({ dir, operator: { name, version: 1 }, input: JSON.parse(input) })
const hooks = { signal: new AbortController().signal, listen: () => {} }
const outcome = await new Host(operatorsOf(builtin)).run(attempt, hooks)
rmSync(dir, { recursive: true })
if (outcome.type !== 'succeeded') throw new Error(JSON.stringify(outcome))
