/** The scale curve: what a task costs in time and memory, from a thousand to a million in one run. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { measureNoops } from './noop-once.ts'
import { root } from './published.ts'
import { drawScale, type Series } from './scale-picture.ts'
import { median, type Row, type Workload } from './workload.ts'

const sizes = [1_000, 10_000, 100_000, 1_000_000] as const
const shapes = ['wide', 'layered'] as const

interface Measured {
  readonly time: number[]
  readonly memory: number[]
}

/** What a task of the run costs; the row of memory is of the runs that the row of time measures. */
function rowsOf(shape: string, size: number, { time, memory }: Measured): readonly Row[] {
  const row = (what: string, unit: Row['unit'], run: () => Promise<number>): Row => ({
    workload: `${shape}, ${size.toLocaleString('en-US')} Noop, ${what}`,
    unit,
    goal: 'flat',
    ours: { name: 'dagctl', run },
    others: [],
  })
  let told = 0
  return [
    row('time', 'µs per task', async () => {
      const measured = await measureNoops(shape, size)
      time.push(1e6 / measured.tasks)
      memory.push((measured.memory * 1024) / size)
      return time.at(-1) ?? Number.NaN
    }),
    row('memory', 'KiB per task', async () => memory[told++] ?? Number.NaN),
  ]
}

/** Measures wide and layered graphs. */
export async function scale(): Promise<Workload> {
  const figures = new Map<string, Measured>()
  const of = (shape: string, size: number) => {
    const found = figures.get(`${shape} ${size}`) ?? { time: [], memory: [] }
    figures.set(`${shape} ${size}`, found)
    return found
  }
  const rows = shapes.flatMap((shape) => sizes.flatMap((size) => rowsOf(shape, size, of(shape, size))))
  const series = (what: 'time' | 'memory'): Series[] =>
    shapes.map((shape) => ({
      name: shape,
      points: sizes.map((size) => ({ at: size, value: median(of(shape, size)[what]) })),
    }))
  return {
    rows,
    notes: [
      'SQLite in WAL mode, synchronous=FULL; time from the first claim to the last outcome',
      'memory is all of the process at its peak, so that small runs carry what Node itself takes',
    ],
    picture: () => {
      const path = join(root, 'docs/scale.svg')
      writeFileSync(path, drawScale(series('time'), series('memory')))
      return path
    },
    dispose: () => {},
  }
}
