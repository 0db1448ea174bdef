/** How a process ended, as an outcome. Knows nothing of who started it. */
import { constants } from 'node:os'
import { stripVTControlCharacters } from 'node:util'
import { type FailureKind, failureKinds } from '../errors.ts'
import { isJsonObject, type JsonObject } from '../json.ts'
import type { Outcome } from '../outcome.ts'
import { fileOf, outputCap } from './attempt-folder.ts'
import { oomKills } from './process-identity.ts'
import { readEnd, readStranger, StrangerFileError } from './stranger-file.ts'

/** Bytes at the end of a log that are searched. */
const tailSize = 64 * 1024
/** Longest piece of a log in a message, characters. */
const longestQuote = 300
/** EX_TEMPFAIL of sysexits.h: try again. */
const temporaryFailure = 75

/** What PyTorch, CUDA, ROCm and JAX print when the accelerator's memory is used up. */
const gpuOom =
  /CUDA out of memory|CUDA_ERROR_OUT_OF_MEMORY|HIP out of memory|torch\.(?:cuda\.)?OutOfMemoryError|cudaErrorMemoryAllocation|RESOURCE_EXHAUSTED: Out of memory/
/** What V8, Python, the JVM, C++, Go and the C library print when the machine's memory is used up. */
const oom =
  /JavaScript heap out of memory|^MemoryError\b|java\.lang\.OutOfMemoryError|std::bad_alloc|fatal error: runtime: out of memory|Cannot allocate memory/m

/** How a process ended: exactly one of code and signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: string | null
}

/** What else is known about a process that failed. */
export interface Evidence {
  /** The last `failure` event. */
  readonly failure: {
    readonly kind: string
    readonly message: string
    readonly retryAfter?: number
  } | null
  /** The ends of what it printed. */
  readonly printed: string
  /** The kernel killed a process for want of memory meanwhile. */
  readonly oomKilled: boolean
}

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]))

/** The exit that a shell reports as a number: 128 + n is signal n. */
export function exitOfShell(code: number): Exit {
  const signal = code > 128 ? signalNames.get(code - 128) : undefined
  return signal === undefined ? { code, signal: null } : { code: null, signal }
}

/** The failure of a process that ended by itself: other than with 0, or before it should have. */
export function classifyExit({ code, signal }: Exit, evidence: Evidence): Outcome {
  const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`
  const last = lastLine(evidence.printed)
  const quote = last === '' ? '' : `: ${last}`
  const failed = (kind: FailureKind, message: string): Outcome => ({ type: 'failed', kind, message })
  if (code === 0) return failed('user', 'its process ended (exit code 0) before the operator returned')
  if (evidence.failure !== null) {
    const { kind, message, retryAfter } = evidence.failure
    const known = failureKinds.find((one) => one === kind)
    const said = message === '' ? `it ${how}${quote}` : message
    const wait = retryAfter === undefined ? {} : { retryAfter }
    return { ...failed(known ?? 'user', known === undefined ? `${kind}: ${said}` : said), ...wait }
  }
  if (gpuOom.test(evidence.printed))
    return failed('gpu_oom', `the accelerator's memory is used up (it ${how}${quote})`)
  if (signal === 'SIGKILL' && evidence.oomKilled)
    return failed('oom', 'the kernel killed it: the memory is used up')
  if (oom.test(evidence.printed)) return failed('oom', `the memory is used up (it ${how}${quote})`)
  if (signal !== null) return failed('crash', `it ${how}${quote}`)
  if (code === temporaryFailure) return failed('crash', `it exited with code 75, a temporary failure${quote}`)
  return failed('user', `it ${how}${quote}`)
}

/** The outcome of an attempt of which nothing is left. */
export function vanished(attempt: { readonly id: string }): Outcome {
  return { type: 'released', kind: 'node_lost', message: `attempt ${attempt.id} is gone without a trace` }
}

/** The outcome of an attempt that was asked to stop before its process began. */
export function stoppedBefore(reason: string): Outcome {
  return { type: 'failed', kind: 'crash', message: `stopped (${reason}) before it began` }
}

/** What is known of a process from its attempt's folder. */
export function evidenceOf(
  attempt: { readonly folder: string },
  failure: Evidence['failure'],
  oomKillsBefore: number | null,
): Evidence {
  const now = oomKills()
  return {
    failure,
    printed: tailOf(fileOf(attempt, 'stdout')) + tailOf(fileOf(attempt, 'stderr')),
    oomKilled: now !== null && oomKillsBefore !== null && now > oomKillsBefore,
  }
}

function tailOf(path: string): string {
  try {
    return readEnd(path, tailSize)?.toString('utf8') ?? ''
  } catch (error) {
    // The command replaced its log by something else: there is nothing to quote.
    if (error instanceof StrangerFileError) return ''
    throw error
  }
}

/** The last line with something in it, without what would move the reader's cursor. */
function lastLine(printed: string): string {
  const line = printed.trimEnd().split('\n').at(-1) ?? ''
  const plain = stripVTControlCharacters(line)
    .replace(/\p{Cc}/gu, ' ')
    .trim()
  return plain.length > longestQuote ? `${plain.slice(0, longestQuote)}…` : plain
}

/** The outputs that a command wrote, `{}` where it wrote none, or the failure that says what is wrong with them. */
export function readOutputs(attempt: {
  readonly folder: string
}): { readonly outputs: JsonObject } | Outcome {
  const path = fileOf(attempt, 'output')
  const invalid = (why: string): Outcome => ({
    type: 'failed',
    kind: 'invalid_input',
    message: `its outputs: ${why}`,
  })
  try {
    const bytes = readStranger(path, outputCap)
    if (bytes === null) return { outputs: {} }
    const outputs: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return isJsonObject(outputs) ? { outputs } : invalid(`${path} holds no JSON object`)
  } catch (error) {
    if (error instanceof StrangerFileError) return invalid(error.message)
    return invalid(`${path} is no JSON: ${(error as Error).message}`)
  }
}
