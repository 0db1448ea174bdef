/** One measurement of Noop tasks, in a process of its own. */
import { join } from 'node:path'
import { time } from './process.ts'

/** What one run came to. */
export interface Figures {
  /** Tasks a second, from the first claim to the last outcome. */
  readonly tasks: number
  /** Raw commits a second of the same database. */
  readonly raw: number
  /** Largest resident memory, MiB. */
  readonly memory: number
}

/** Each measurement is a process of its own, which measures both sides: they share the disk's mood. */
export async function measureNoops(shape: string, size: number): Promise<Figures> {
  const program = join(import.meta.dirname, 'engine.ts')
  const { stdout, rss } = await time(process.execPath, [program, shape, String(size)])
  const match = /: (\d+) tasks\/s, raw (\d+) commits\/s, ratio [\d.]+, (\d+) MiB/.exec(stdout)
  if (!match) throw new Error(`cannot read '${stdout}'`)
  return { tasks: Number(match[1]), raw: Number(match[2]), memory: Math.max(rss, Number(match[3])) }
}
