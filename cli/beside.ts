/** Work in a process of its own, beside the engine: it is asked one thing at a time, and ends when there is nothing to ask. */
import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'

/** Asks a program of ours, which answers each message with one. */
export class Beside<Question extends object, Answer> {
  readonly #module: URL
  #worker: ChildProcess | null = null

  /** @param name of the program in this folder, without its extension */
  constructor(name: string) {
    this.#module = new URL(`../cli/${name}${extname(import.meta.url)}`, import.meta.url)
  }

  /** Rejects where the process cannot be started, or ends over the question. */
  ask(question: Question): Promise<Answer> {
    this.#worker ??= this.#start()
    const worker = this.#worker
    return new Promise((resolve, reject) => {
      const leave = () => worker.off('message', answer).off('exit', ended).off('error', failed)
      const answer = (message: Answer) => {
        leave()
        resolve(message)
      }
      const failed = (error: Error) => {
        leave()
        this.#worker = null
        reject(error)
      }
      const ended = (code: number | null, signal: string | null) =>
        failed(new Error(`its process ended with ${signal ?? code}`))
      worker.on('message', answer).on('exit', ended).on('error', failed)
      worker.send(question)
    })
  }

  /** Ends the process; the next question starts another. */
  rest(): void {
    const worker = this.#worker
    this.#worker = null
    if (worker?.connected === true) worker.disconnect()
  }

  #start(): ChildProcess {
    const worker = fork(this.#module, {
      execArgv: [],
      // A signal to the whole group is not for it: it ends with whoever asks.
      detached: true,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    })
    // Whoever waits for an answer hears of it; once nobody does, it is of no matter any more.
    worker.on('error', () => {})
    return worker
  }
}

/** The other side: answers each message with what `work` makes of it, until whoever asks is gone. */
export function answering<Question, Answer>(work: (question: Question) => Promise<Answer>): void {
  process.on('message', (question: Question) => {
    work(question).then((answer) => process.send?.(answer))
  })
  // Whoever asks is gone: there is nobody to answer. What asks this one to leave is for them.
  process.on('disconnect', () => process.exit())
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}
