/**
 * An engine that starts one attempt, says what it hears, and waits to be killed:
 * `engine-to-kill.ts ATTEMPT.json [--no-perl]` prints one line per event, and one with the outcome.
 */
import { readFileSync, writeSync } from 'node:fs'
import { processRuntime, processRuntimeWithoutPerl } from './runtimes.ts'

const attempt = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'))
const say = (what: unknown) => writeSync(1, `${JSON.stringify(what)}\n`)
const runtime = process.argv.includes('--no-perl') ? processRuntimeWithoutPerl() : processRuntime()
const { outcome } = runtime.start(attempt, say)
say({ type: 'outcome', outcome: await outcome })
process.stdin.resume()
