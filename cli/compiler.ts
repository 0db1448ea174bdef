/**
 * Compiles pipeline files beside the engine: in a process that ends when there is nothing to compile, so that what
 * compiling takes (the parsers, their garbage) is not kept while `serve` idles, and no file can stall or exhaust it.
 */
import { Beside } from './beside.ts'
import type { Question, Verdict } from './compile-worker.ts'

/** Compiles one file at a time. */
export class Compiler {
  readonly #around: Omit<Question, 'file'>
  readonly #beside = new Beside<Question, Verdict>('compile-worker')

  constructor(around: Omit<Question, 'file'>) {
    this.#around = around
  }

  /** Compiles a file; where its process ends over it, that is what is wrong with it. */
  compile(file: string): Promise<Verdict> {
    return this.#beside.ask({ ...this.#around, file }).catch(({ message }: Error) => ({
      pipeline: null,
      report: `${file} could not be compiled: ${message}`,
      uses: null,
    }))
  }

  /** Ends the process; the next file starts another. */
  rest(): void {
    this.#beside.rest()
  }
}
