/** Files that an attempt works with, and whose checkpoints it asks for: they grow and are replaced at any time. */
import { dirname, join } from 'node:path'
import type { Random } from '../../engine/random.ts'
import { outside } from './disk.ts'
import { pick } from './random-pipeline.ts'
import { digestOf, type History } from './shelf.ts'

const { existsSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } = outside
const { writeFileSync } = outside

/** Names that a file may have in a checkpoint. */
const names = ['a.bin', 'manifest.json', '..b', 'sub/a.bin', 'sub/deep/c d', 'ä/ß', '.tmp'] as const
/** More than is copied at once. */
const large = 1024 * 1024 + 7

/** What stands for a file that is no file any more. */
const gone = ''

/** A file, and all that it ever was. */
export interface Source {
  readonly path: string
  readonly digests: string[]
}

/** The files of one attempt. */
export class Sources {
  readonly #random: Random
  #all: Source[] = []

  constructor(random: Random) {
    this.#random = random
  }

  /** Makes some files below `folder`, by their names inside it. */
  make(folder: string, deep: boolean): Map<string, Source> {
    const made = new Map<string, Source>()
    mkdirSync(folder, { recursive: true })
    for (const name of names) {
      if (this.#random.next() < 0.6 || (!deep && name.includes('/'))) continue
      const source = { path: join(folder, name), digests: [] }
      mkdirSync(dirname(source.path), { recursive: true })
      this.write(source)
      made.set(name, source)
    }
    this.#all.push(...made.values())
    return made
  }

  /** Another file takes its place. */
  write({ path, digests }: Source): void {
    const bytes = this.#bytes()
    digests.push(digestOf(bytes))
    writeFileSync(`${path}~`, bytes)
    renameSync(`${path}~`, path)
  }

  /** What becomes of a file from now on. */
  fromNow({ digests }: Source): History {
    const from = digests.length - 1
    return { was: (digest) => digests.includes(digest, from), gone: () => digests.includes(gone, from) }
  }

  /** Something happens to one of them. */
  disturb(): void {
    const source = this.#all[pick(this.#random, this.#all.length)]
    if (source === undefined || !existsSync(source.path) || !lstatSync(source.path).isFile()) return
    const { path, digests } = source
    const what = this.#random.next()
    if (what < 0.5) {
      writeFileSync(path, this.#bytes(), { flag: 'a' })
      digests.push(digestOf(readFileSync(path)))
    } else if (what < 0.9) this.write(source)
    else {
      rmSync(path)
      digests.push(gone)
      if (what < 0.95) symlinkSync('/etc/hosts', path)
    }
  }

  /** The attempt is over. */
  forget(): void {
    this.#all = []
  }

  #bytes(): Buffer {
    const draw = this.#random.next()
    const length = draw < 0.2 ? 0 : draw < 0.002 + 0.2 ? large : pick(this.#random, 60)
    return Buffer.alloc(length, String(this.#random.next()))
  }
}
