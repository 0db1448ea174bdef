/** What may befall checkpoints on a disk while nobody looks. Knows no attempts. */
import { join } from 'node:path'
import type { Random } from '../../engine/random.ts'
import { outside } from './disk.ts'
import { pick } from './random-pipeline.ts'
import { numberIn } from './shelf.ts'

const { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } =
  outside
const { writeFileSync } = outside

/** Where it happens. */
interface Place {
  /** The folder of all checkpoints. */
  readonly all: string
  /** Absent paths, each time another, outside of the checkpoints. */
  elsewhere(): string
  readonly random: Random
}

/** What is done to a file's bytes. */
const edits: readonly ((bytes: Buffer, random: Random) => Buffer)[] = [
  (bytes, random) => {
    const at = pick(random, bytes.length)
    bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << pick(random, 8)), at)
    return bytes
  },
  (bytes, random) => bytes.subarray(0, pick(random, bytes.length)),
  (bytes, random) => Buffer.concat([bytes, Buffer.from(random.next() < 0.3 ? ' ' : 'more')]),
]

type Harm = (checkpoint: string, place: Place) => void

const edit: Harm = (checkpoint, { random }) => {
  const path = someFile(checkpoint, random)
  const bytes = path === null ? null : readFileSync(path)
  if (path === null || bytes === null || bytes.length === 0) return
  const made = edits[pick(random, edits.length)]?.(bytes, random) as Buffer
  rmSync(path)
  writeFileSync(path, made)
}

const harms: readonly Harm[] = [
  edit,
  edit,
  edit,
  (checkpoint, { random }) => {
    const path = someFile(checkpoint, random)
    if (path !== null) rmSync(path)
  },
  // A link to the same.
  (checkpoint, { random, elsewhere }) => {
    const paths = [checkpoint, ...inside(checkpoint)]
    const path = paths[pick(random, paths.length)] as string
    const other = elsewhere()
    renameSync(path, other)
    symlinkSync(other, path)
  },
  (checkpoint, { random }) => {
    const path = someFile(checkpoint, random)
    if (path === null) return
    rmSync(path)
    mkdirSync(path)
  },
  (checkpoint, { all, random, elsewhere }) => {
    const names = checkpointsIn(all)
    const other = join(all, names[pick(random, names.length)] as string)
    const [one, two] = [checkpoint, other].map((path) => join(path, 'manifest.json')) as [string, string]
    if (one === two || !existsSync(one) || !existsSync(two)) return
    const between = elsewhere()
    renameSync(one, between)
    renameSync(two, one)
    renameSync(between, two)
  },
  (checkpoint, { all, random }) => {
    const newest = numberIn(checkpointsIn(all)[0] as string) as number
    renameSync(checkpoint, join(all, `checkpoint-${String(newest + 1 + pick(random, 3)).padStart(8, '0')}`))
  },
  (checkpoint) => rmSync(checkpoint, { recursive: true }),
  // Of an attempt that is long gone.
  (checkpoint, { all, random }) => {
    const number = (numberIn(checkpoint) as number) + pick(random, 3)
    const path = join(all, `.checkpoint-${String(number).padStart(8, '0')}.run-1-test-${pick(random, 4)}.tmp`)
    if (existsSync(path)) return
    mkdirSync(join(path, 'files'), { recursive: true })
    writeFileSync(join(path, 'files/a.bin'), 'stale')
  },
]

/** Does one of them, mostly to the newest checkpoint; nothing where there is none. */
export function harm(place: Place): void {
  const { all, random } = place
  const names = checkpointsIn(all)
  const name = names[random.next() < 0.7 ? 0 : pick(random, names.length)]
  const path = name === undefined ? null : join(all, name)
  if (path !== null && lstatSync(path).isDirectory()) harms[pick(random, harms.length)]?.(path, place)
}

/** Newest first. */
function checkpointsIn(all: string): string[] {
  if (!existsSync(all)) return []
  const names = readdirSync(all).filter((name) => numberIn(name) !== null)
  return names.sort((a, b) => (numberIn(b) as number) - (numberIn(a) as number))
}

/** A regular file of it, the manifest too. */
function someFile(checkpoint: string, random: Random): string | null {
  const paths = inside(checkpoint).filter((path) => lstatSync(path).isFile())
  return paths[pick(random, paths.length)] ?? null
}

/** Every path in it, in an order of its own. */
function inside(folder: string): string[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const path = join(folder, name)
      return lstatSync(path).isDirectory() ? [path, ...inside(path)] : [path]
    })
}
