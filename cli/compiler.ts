/**
 * Compiles pipeline files beside the engine: in a process that ends when there is nothing to compile, so that what
 * compiling takes (the parsers, their garbage) is not kept while `serve` idles, and no file can stall or exhaust it.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import type { Question, Verdict } from './compile-worker.ts'

/** Compiles one file at a time. */
export class Compiler {
  readonly #around: Omit<Question, 'file'>
  #worker: ChildProcess | null = null

  constructor(around: Omit<Question, 'file'>) {
    this.#around = around
  }

  /** Compiles a file; where its process ends over it, that is what is wrong with it. */
  compile(file: string): Promise<Verdict> {
    this.#worker ??= startWorker()
    const worker = this.#worker
    return new Promise((resolve) => {
      const answer = (verdict: Verdict) => {
        worker.off('message', answer).off('exit', ended).off('error', failed)
        resolve(verdict)
      }
      const failed = ({ message }: Error) => {
        this.#worker = null
        answer({ pipeline: null, report: `${file} could not be compiled: ${message}`, uses: null })
      }
      const ended = (code: number | null, signal: string | null) =>
        failed(new Error(`its process ended with ${signal ?? code}`))
      worker.on('message', answer).on('exit', ended).on('error', failed)
      const question: Question = { ...this.#around, file }
      worker.send(question)
    })
  }

  /** Ends the process; the next file starts another. */
  rest(): void {
    const worker = this.#worker
    this.#worker = null
    if (worker?.connected === true) worker.disconnect()
  }
}

function startWorker(): ChildProcess {
  const module = new URL(`../cli/compile-worker${extname(import.meta.url)}`, import.meta.url)
  const worker = fork(module, { execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  // Whoever waits for an answer hears of it; once nobody does, it is of no matter any more.
  worker.on('error', () => {})
  return worker
}
