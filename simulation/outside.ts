/** What befalls a simulated run from outside: faults at their times, and people who answer what tasks ask. */
import { parseDuration } from '../engine/duration.ts'
import type { Wish } from '../engine/store/store.ts'
import type { Answer, Fault } from '../schemas/pipeline-tests.generated.ts'
import type { Played, PlayedTask } from './played.ts'
import type { Processes } from './processes.ts'
import type { ClockFace } from './virtual-clock.ts'

/** Answers by the id or the whole name of the task that asks: one per question. */
export type Answers = { readonly [name: string]: Answer | readonly Answer[] }

/** What can be reached of the world. */
export interface Reach {
  readonly world: ClockFace
  readonly processes: Processes
  /** Tells the engine; false where none is there. */
  wish(wish: Wish): boolean
  /** Ends the engine, and has another come after so many milliseconds; false where none is there. */
  crash(pause: number): boolean
  tasks(): Promise<readonly PlayedTask[]>
  broken(error: unknown): void
}

/** The faults and answers of one scene. */
export class Outside {
  readonly #faults: readonly Fault[]
  readonly #answers: Answers
  readonly #reach: Reach
  readonly #befell: Played['befell'][number][] = []
  readonly #missed: Played['missed'][number][] = []
  /** Places of faults whose time has not come. */
  readonly #pending: Set<number>
  /** By name of the task: how many of its questions somebody began to answer. */
  readonly #heard = new Map<string, number>()
  /** Answers that came while no engine was there. */
  #held: (() => void)[] = []

  constructor(faults: readonly Fault[], answers: Answers, reach: Reach) {
    this.#faults = faults
    this.#answers = answers
    this.#reach = reach
    this.#pending = new Set(faults.keys())
  }

  /** What happened so far. */
  get befell(): Played['befell'] {
    return this.#befell
  }

  /** What met nothing, once the run is over. */
  get missed(): Played['missed'] {
    const late = [...this.#pending].map((fault) => ({
      path: ['faults', fault],
      why: 'the run is over by then',
    }))
    const unasked = Object.keys(this.#answers)
      .filter((name) => ![...this.#heard.keys()].some((one) => one === name || withoutKeys(one) === name))
      .map((name) => ({ path: ['answers', name], why: `\`${name}\` asks nobody` }))
    return [...this.#missed, ...late, ...unasked]
  }

  /** Sets the faults to their times, from now. */
  arm(): void {
    for (const [index, fault] of this.#faults.entries())
      this.#reach.world.soonAfter(parseDuration(fault.at) ?? 0, () => this.#strike(index, fault))
  }

  /** An engine has the run (again). */
  engineCame(): void {
    if (this.#befell.length > 0) this.#note('another engine takes it over')
    const held = this.#held
    this.#held = []
    for (const answer of held) answer()
  }

  /** A task went to sleep: it may ask a person. */
  slept(name: string): void {
    const said = this.#answers[name] ?? this.#answers[withoutKeys(name)]
    if (said === undefined) return
    this.#find(name, (task) => {
      const place = this.#heard.get(name) ?? 0
      const answer = [said].flat()[place]
      if (task.record.wakeOn?.person === undefined || answer === undefined) return
      this.#heard.set(name, place + 1)
      const path = ['answers', Object.hasOwn(this.#answers, name) ? name : withoutKeys(name)]
      this.#reach.world.soonAfter(parseDuration(answer.after ?? '0s') ?? 0, () =>
        this.#answer(name, answer, Array.isArray(said) ? [...path, place] : path),
      )
    })
  }

  #answer(name: string, answer: Answer, path: readonly (string | number)[]): void {
    const { decision, values = {} } = answer
    this.#find(name, ({ record }) => {
      const wish = {
        kind: 'answer',
        node: record.node,
        attempt: record.attempt,
        decision,
        values,
      } as Wish
      if (record.wakeOn?.person === undefined)
        this.#missed.push({ path, why: `by then \`${name}\` is ${record.state}, and asks no more` })
      else if (this.#reach.wish(wish)) this.#note(`a person answers \`${name}\`: ${decision}`)
      else this.#held.push(() => this.#answer(name, answer, path))
    })
  }

  #find(name: string, then: (task: PlayedTask) => void): void {
    this.#reach.tasks().then((tasks) => {
      const task = tasks.find((one) => one.name === name)
      if (task !== undefined) then(task)
    }, this.#reach.broken)
  }

  #strike(index: number, { do: what, task = '', for: pause = '0s' }: Fault): void {
    this.#pending.delete(index)
    const why = what === 'vanish' ? this.#reach.processes.vanish(task) : this.#befall(what, pause)
    if (why !== null) this.#missed.push({ path: ['faults', index], why })
  }

  #befall(what: Exclude<Fault['do'], 'vanish'>, pause: string): string | null {
    const { crash, wish } = this.#reach
    const met = what === 'crash' ? crash(parseDuration(pause) ?? 0) : wish({ kind: what })
    if (!met) return 'no engine is there then'
    this.#note(words[what])
    return null
  }

  #note(what: string): void {
    this.#befell.push({ at: this.#reach.world.now(), what })
  }
}

const words = {
  crash: 'its engine dies',
  cancel: 'a person cancels it',
  pause: 'a person pauses it',
  resume: 'a person lets it go on',
} as const

function withoutKeys(name: string): string {
  return name.replaceAll(/\[[^\]]*\]/g, '')
}
