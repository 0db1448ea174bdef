/** B11: `serve` with 1,000 scheduled pipelines while nothing is due: memory and share of a core, over a minute in all. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { publishInto } from './published.ts'
import type { Row, Side, Workload } from './workload.ts'

const count = 1_000
/** Milliseconds: five windows are a minute; what was busy at the start is over before the first. */
const [window, settling] = [12_000, 10_000]
/** The kernel's unit of processor time in /proc: 1/100 s. */
const tick = 10
const zones = ['Europe/Berlin', 'America/New_York', 'Asia/Tokyo', 'UTC']

/** Due once a year, at a thousand times of the first of January. */
function pipelineOf(index: number): string {
  return `dagctl: 1
pipeline: p${index}
schedule: { cron: "${index % 60} ${index % 24} 1 1 *", timezone: ${zones[index % zones.length]} }
defaults: { timeout: 1m }
tasks:
  extract: { run: ./extract.sh }
  load: { needs: [extract], uses: Shell, with: { command: "./load.sh {{ tasks.extract.outputs.file }}" } }
  check: { needs: [load], uses: Noop, when: "tasks.load.state == 'succeeded'" }
`
}

/** Starts it once; each figure is of one window. */
export async function serve(): Promise<Workload> {
  const folder = mkdtempSync(join(tmpdir(), 'dagctl-bench-'))
  mkdirSync(join(folder, 'pipelines'))
  for (let index = 0; index < count; index++)
    writeFileSync(join(folder, 'pipelines', `p${index}.yaml`), pipelineOf(index))
  const served = await started(publishInto(folder), folder)
  await wait(settling)
  const limit = (value: number): Side => ({ name: 'limit', run: async () => value })
  const row = (workload: string, unit: Row['unit'], most: number, run: Side['run']): Row => ({
    workload,
    unit,
    goal: `<= ${most} ${unit}`,
    ours: { name: 'serve', run },
    others: [limit(most)],
  })
  return {
    rows: [
      row('processor time', '% of a core', 0.5, async () => {
        const before = processorTime(served)
        await wait(window)
        return ((processorTime(served) - before) / window) * 100
      }),
      row('resident memory', 'MiB', 120, async () => residentMemory(served)),
    ],
    notes: [
      `${count} files of 3 tasks, cron in ${zones.length} zones; package; SQLite in WAL mode, synchronous=FULL`,
      'five windows of 12 s, from 10 s after it began to serve; the lease is renewed every 3 s meanwhile',
    ],
    dispose: () => {
      served.kill('SIGKILL')
      rmSync(folder, { recursive: true })
    },
  }
}

function started(launcher: string, cwd: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, [launcher, 'serve'], { cwd, stdio: ['ignore', 'ignore', 'pipe'] })
  let text = ''
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('exit', (code) => reject(new Error(`serve ended with ${code}: ${text}`)))
    child.stderr?.setEncoding('utf8').on('data', (more) => {
      text += more
      if (text.includes('1,000 pipelines, 1,000 with a schedule')) resolve(child)
    })
  })
}

function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}

/** Milliseconds, of all threads. */
function processorTime({ pid }: ChildProcess): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) * tick
}

function residentMemory({ pid }: ChildProcess): number {
  const match = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(match?.[1]) / 1024
}
