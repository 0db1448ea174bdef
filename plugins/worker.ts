/**
 * The program of a worker process: `worker.ts --catalogue URL …`. Each URL is a module that exports `builtin`, a table of
 * operators' loaders (operators/catalogue.ts is one). Knows nothing of any operator by itself.
 */
import { parseArgs } from 'node:util'
import { systemClock } from '../engine/clock.ts'
import { serveAttempts } from '../engine/runtime/serve-attempts.ts'
import type { Operator } from './api.ts'
import { Host, operatorsOf } from './host.ts'

const { values } = parseArgs({ options: { catalogue: { type: 'string', multiple: true, default: [] } } })
const modules = await Promise.all(values.catalogue.map((url): Promise<unknown> => import(url)))
const tables = modules.map(
  (module) => (module as { readonly builtin: { [name: string]: () => Promise<Operator> } }).builtin,
)
serveAttempts(new Host(operatorsOf(...tables)), systemClock)
