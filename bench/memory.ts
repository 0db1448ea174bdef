/** Memory of data operators: the peak over 1 GB beside the peak over 250 MB, where the heap has found its size. It must not grow with the file. */
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { time } from './process.ts'
import type { Row, Workload } from './workload.ts'

const operators: { readonly [name: string]: (source: string) => object } = {
  BatchIngest: (source) => ({ source }),
  SchemaValidate: (input) => ({ input, schema: { type: 'object', required: ['text'] } }),
}

/** Measures each operator in a process of its own. */
export async function memory(): Promise<Workload> {
  const dir = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  const small = repeated(join(dir, 'small.jsonl'), 250)
  const large = repeated(join(dir, 'large.jsonl'), 1000)
  const program = join(import.meta.dirname, 'operator-once.ts')
  const peak = (name: string, input: object) => async () =>
    (await time(process.execPath, [program, name, JSON.stringify(input)])).rss
  const rows = Object.entries(operators).map(([name, inputOf]): Row => {
    return {
      workload: `peak memory of ${name}`,
      unit: 'MiB',
      goal: 'flat: <= 1.25 x',
      ours: { name: '1 GB', run: peak(name, inputOf(large)) },
      others: [{ name: '250 MB', run: peak(name, inputOf(small)) }],
    }
  })
  return {
    rows,
    notes: ['JSONL of records of about 1 kB; the peak is the kernel’s VmHWM, looked at 20 times a second'],
    dispose: () => rmSync(dir, { recursive: true }),
  }
}

/** A file of about this many megabytes, the same records again and again with their number. */
function repeated(path: string, megabytes: number): string {
  const file = openSync(path, 'w')
  const words = 'the state of the union is what its people make of it; '.repeat(18)
  for (let i = 0; i < megabytes; i++) {
    let block = ''
    for (let j = 0; j < 1000; j++) block += `${JSON.stringify({ id: i * 1000 + j, text: words })}\n`
    writeSync(file, block)
  }
  closeSync(file)
  return path
}
