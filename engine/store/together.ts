/** Calls that are made at the same time, done in one go: one transaction, one wait for the disk. Knows no store. */

interface Call<Ask, Answer> {
  readonly ask: Ask
  readonly resolve: (answer: Answer) => void
  readonly reject: (error: unknown) => void
}

/** Collects calls until the work at hand is done, then does them all. */
export class Together<Ask, Answer> {
  readonly #work: (asks: readonly Ask[]) => readonly (() => Answer)[]
  #calls: Call<Ask, Answer>[] = []

  /** @param work gives for each call what answers it, or throws what refuses it; what `work` throws refuses all */
  constructor(work: (asks: readonly Ask[]) => readonly (() => Answer)[]) {
    this.#work = work
  }

  ask(ask: Ask): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#calls.push({ ask, resolve, reject })
      if (this.#calls.length === 1) queueMicrotask(() => this.#flush())
    })
  }

  #flush(): void {
    const calls = this.#calls
    this.#calls = []
    try {
      const answers = this.#work(calls.map(({ ask }) => ask))
      for (const [place, { resolve, reject }] of calls.entries()) {
        try {
          resolve((answers[place] as () => Answer)())
        } catch (error) {
          reject(error)
        }
      }
    } catch (error) {
      for (const { reject } of calls) reject(error)
    }
  }
}
