/**
 * What is known of a task's checkpoints by whoever only watches: what was sealed, byte by byte, what of that is still as
 * it was, and so what must be restored, and must be there. Shares no code with what seals and restores.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { outside } from './disk.ts'

/** What a seal was meant to keep. */
export interface Announced {
  readonly step: number
  /** JSON. */
  readonly state: string
  readonly attempt: number
  /** `Name@1`. */
  readonly owner: string
  readonly files: ReadonlyMap<string, History>
}

/** Of a file, since the seal was asked for. */
export interface History {
  /** Whether it had this digest at any time. */
  was(digest: string): boolean
  /** Whether it was removed at any time. */
  gone(): boolean
}

/** A checkpoint as it lay there when it got its name. */
interface Sealed extends Announced {
  readonly number: number
  /** Each path in it, and what it is: a folder, a link, or the digest of a file. */
  readonly tree: string
}

/** What an attempt was given. */
export interface Given {
  readonly step: number
  /** JSON; null where an attempt of this kind is not told. */
  readonly state: string | null
  readonly folder: string
}

/** The checkpoints of one task. */
export class Shelf {
  readonly #folder: string
  readonly #sealed = new Map<number, Sealed>()
  /** What was said to be kept, and was not harmed since. */
  #promised: readonly number[] = []
  /** What was harmed. */
  #harmed: readonly number[] = []

  constructor(folder: string) {
    this.#folder = folder
  }

  /** A folder got a checkpoint's name. Throws where it is not what was meant. */
  sealed(path: string, announced: Announced): void {
    const found = new Map([...treeOf(join(path, 'files'))].filter(([, what]) => what !== 'folder'))
    const wrong = [...found].find(([name, what]) => announced.files.get(name)?.was(what) !== true)
    if (wrong !== undefined) throw new Error(`${path}: ${wrong.join(' was never ')}`)
    const lacks = [...announced.files].find(([name, file]) => !found.has(name) && !file.gone())
    if (lacks !== undefined) throw new Error(`${path} lacks ${lacks[0]}`)
    const number = numberIn(path) as number
    this.#sealed.set(number, { ...announced, number, tree: textOf(treeOf(path)) })
  }

  /**
   * An attempt was told that the checkpoint of this step is kept.
   * @param alone no attempt of before still seals beside it
   */
  reported(step: number, attempt: number, alone: boolean): void {
    const { numbers, whole } = this.#look()
    const is = [...this.#sealed.values()].findLast((one) => one.step === step && one.attempt === attempt)
    const newer = numbers.filter((one) => one > (is?.number ?? 0)).length
    if (is === undefined || !(whole.includes(is) || newer > 1))
      throw new Error(`step ${step} is said to be kept, and is not`)
    const left = numbers.length > 0 ? outside.readdirSync(this.#folder) : []
    const torn = left.find((name) => Number(/-(\d+)\.tmp$/.exec(name)?.[1] ?? attempt) < attempt)
    if (alone && (newer > 0 || numbers.length > 2 || torn !== undefined))
      throw new Error(`after step ${step} there are ${left}`)
    this.#stands({ numbers, whole })
    this.#promised = whole.map(({ number }) => number)
  }

  /** Throws where what was said to be kept is lost, or one of the two newest names is that of what was never whole. */
  stands(): void {
    this.#stands(this.#look())
  }

  /** The disk was harmed: what is not what it was need not be there any more. */
  forgive(): void {
    const { numbers, whole } = this.#look()
    const harmed = (number: number) => !whole.some((one) => one.number === number)
    this.#promised = this.#promised.filter((number) => !harmed(number))
    this.#harmed = numbers.filter(harmed)
  }

  /** Steps that may be chosen. */
  steps(): number[] {
    return this.#look().whole.map(({ step }) => step)
  }

  /**
   * Throws where what was given to an attempt of this operator is not what it must be given.
   * @param given `none`: it was told that the step which was chosen is not there
   * @returns whether a newer one had to be passed over
   */
  judge(given: Given | null | 'none', owner: string, restore: Choice | undefined): boolean {
    const { numbers, whole: all } = this.#look()
    const whole = all.filter((one) => one.owner === owner)
    const chosen =
      restore === undefined
        ? whole[0]
        : (whole.find(({ attempt }) => attempt >= restore.since) ??
          whole.find(({ step }) => step === restore.step))
    const none = restore === undefined ? null : 'none'
    if (chosen === undefined) {
      if (given !== none) throw new Error(`given is ${tell(given)}, and not ${tell(none)}`)
      return false
    }
    const folder = join(this.#folder, nameOf(chosen.number), 'files')
    if (given === null || given === 'none' || given.folder !== folder || given.step !== chosen.step)
      throw new Error(`given is ${tell(given)}, and not step ${chosen.step} in ${folder}`)
    if (given.state !== null && given.state !== chosen.state)
      throw new Error(`${folder} is given with ${given.state}, and not ${chosen.state}`)
    return chosen.number !== numbers[0]
  }

  #stands({ numbers, whole }: Look): void {
    const isWhole = (number: number) => whole.some((one) => one.number === number)
    const newer = (than: number) => numbers.filter((one) => one > than).length
    const lost = this.#promised.find((one) => !isWhole(one) && newer(one) < 2)
    if (lost !== undefined) throw new Error(`checkpoint ${lost} was kept, and is lost`)
    const torn = numbers.slice(0, 2).find((one) => !isWhole(one) && !this.#harmed.includes(one))
    if (torn !== undefined) throw new Error(`checkpoint ${torn} is listed, and was never whole`)
  }

  #look(): Look {
    const names = outside.existsSync(this.#folder) ? outside.readdirSync(this.#folder) : []
    const numbers = names.map(numberIn).filter((one) => one !== null)
    numbers.sort((a, b) => b - a)
    const all = numbers.map((number) => this.#sealed.get(number)).filter((one) => one !== undefined)
    const isWhole = (one: Sealed) => one.tree === textOf(treeOf(join(this.#folder, nameOf(one.number))))
    return { numbers, whole: all.filter(isWhole) }
  }
}

/** What lies there now, newest first. */
interface Look {
  /** Of all that bears a checkpoint's name. */
  readonly numbers: readonly number[]
  /** What is as it was sealed. */
  readonly whole: readonly Sealed[]
}

/** A step that was chosen, and the number of the first attempt that goes on from it. */
interface Choice {
  readonly step: number
  readonly since: number
}

function tell(given: Given | null | 'none'): string {
  if (given === null) return 'nothing'
  return given === 'none' ? 'that there is no such step' : `step ${given.step} in ${given.folder}`
}

/** The digest of a file's bytes. */
export function digestOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

function nameOf(number: number): string {
  return `checkpoint-${String(number).padStart(8, '0')}`
}

/** The number in a checkpoint's name; null where it is none. */
export function numberIn(path: string): number | null {
  const found = /(?:^|\/)checkpoint-(\d+)$/.exec(path)
  return found === null ? null : Number(found[1])
}

/** What lies at `path` and below it, by the path inside it. Nothing where there is nothing. */
function treeOf(path: string, inside = '', tree = new Map<string, string>()): Map<string, string> {
  const is = outside.lstatSync(path, { throwIfNoEntry: false })
  if (is?.isDirectory()) {
    if (inside !== '') tree.set(inside, 'folder')
    for (const name of outside.readdirSync(path))
      treeOf(join(path, name), inside === '' ? name : `${inside}/${name}`, tree)
  } else if (is !== undefined)
    tree.set(inside, is.isFile() ? digestOf(outside.readFileSync(path)) : 'no file')
  return tree
}

function textOf(tree: ReadonlyMap<string, string>): string {
  return [...tree]
    .map((entry) => entry.join(' '))
    .sort()
    .join('\n')
}
