/**
 * SIGKILL of the command line at random moments: what is gone on with ends as what was never killed, and nothing that
 * outlived its engine runs twice. DAGCTL_KILLS=n for more kills, DAGCTL_SEED=n for other moments.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { systemClock } from '../../engine/clock.ts'
import { type Random, seededRandom } from '../../engine/random.ts'
import { isEnded } from '../../engine/state.ts'
import { openSqlite } from '../../engine/store/sqlite.ts'
import type { EventRecord } from '../../engine/store/store.ts'
import { casesFolder } from '../support/cases.ts'
import { json, type Started, start } from '../support/command-line.ts'
import { dataPipeline, smallShapes, type Victim } from './shapes.ts'

const kills = Number(process.env.DAGCTL_KILLS ?? 30)
const seed = Number(process.env.DAGCTL_SEED ?? 1)
/** Runs that are killed beside each other: most of a run's time it waits. */
const lanes = 4
const timeout = 120_000 + kills * 10_000
t.setTimeout(timeout)

interface TaskRow {
  readonly id: string
  readonly state: string
  readonly attempts: number
  readonly tries: number
  readonly outputs: unknown
  readonly failure: unknown
}

/** How a run came to its end, with what may differ from run to run left out. */
interface Ending {
  readonly state: string
  readonly tasks: readonly Omit<TaskRow, 'attempts'>[]
  readonly files: { readonly [path: string]: string }
}

/** Every dataset with the digest of its bytes. */
function filesOf(folder: string): Ending['files'] {
  const data = join(folder, 'data')
  if (!existsSync(data)) return {}
  const files = readdirSync(data, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort()
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')
  return Object.fromEntries(paths.map((path) => [path.slice(data.length), digest(path)]))
}

async function endingOf(folder: string, id: string): Promise<Ending> {
  const { document } = await json(folder, ['runs', 'show', id])
  const told = JSON.stringify(document.tasks as TaskRow[], ['id', 'state', 'tries', 'failure', 'kind'])
  const outputs = JSON.stringify((document.tasks as TaskRow[]).map((task) => [task.id, task.outputs]))
  // The end of a Wait is a time, and differs.
  const plain = outputs.replaceAll(folder, 'FOLDER').replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'INSTANT')
  const tasks = (JSON.parse(told) as TaskRow[]).map((task, index) => ({
    ...task,
    outputs: (JSON.parse(plain) as [string, unknown][])[index],
  }))
  return { state: document.run.state, tasks, files: filesOf(folder) }
}

/** What the events tell that must never be, over the whole life of a run and all its engines. */
function faultsOf(events: readonly EventRecord[], limit: number | null): string[] {
  const faults: string[] = []
  const holding = new Map<number, number>()
  const succeeded = new Set<number>()
  const last = new Map<number, number>()
  for (const { node, attempt, event } of events) {
    if (node === null || attempt === null) continue
    if (event === 'claim') {
      if (succeeded.has(node)) faults.push(`node ${node} was claimed after it had succeeded`)
      if (holding.has(node))
        faults.push(`node ${node} was claimed while attempt ${holding.get(node)} held it`)
      if (attempt !== (last.get(node) ?? 0) + 1)
        faults.push(`attempt ${attempt} of node ${node} is out of turn`)
      last.set(node, attempt)
      holding.set(node, attempt)
      if (limit !== null && holding.size > limit) faults.push(`${holding.size} tasks hold ${limit} slots`)
    } else if (event !== 'unblock' && event !== 'wake' && event !== 'retry_due') holding.delete(node)
    if (event === 'succeed') succeeded.add(node)
  }
  return faults
}

/** Commands that did not run once per try: they note themselves, and the number of their attempt. */
function unevenOf(folder: string, tasks: readonly TaskRow[]): string[] {
  const lines = existsSync(join(folder, 'ran'))
    ? readFileSync(join(folder, 'ran'), 'utf8').trim().split('\n')
    : []
  const noted = new Map<string, string[]>()
  for (const line of lines) {
    const [id = '', attempt = ''] = line.split(' ')
    noted.set(id, [...(noted.get(id) ?? []), attempt])
  }
  return tasks.flatMap(({ id, tries }) => {
    const attempts = noted.get(id)
    if (attempts === undefined || (attempts.length === tries && new Set(attempts).size === tries)) return []
    return [`${id} ran as attempts ${attempts.join()}, in ${tries} tries`]
  })
}

/** Kills the process at a random moment: of its whole life, or shortly after its first words. False where it had ended. */
async function killed(started: Started, random: Random): Promise<boolean> {
  const early = random.next() < 0.2
  if (!early) await started.said('\n').catch(() => {})
  const wait = Math.floor(random.next() * (early ? 1000 : 450))
  await new Promise<void>((resolve) => {
    const timer = systemClock.at(systemClock.now() + wait, resolve)
    void started.ended.then(() => {
      timer.cancel()
      resolve()
    })
  })
  started.child.kill('SIGKILL')
  return (await started.ended).exit === 137
}

/** A commit at which the process kills itself, or null: it is killed at a random moment. */
function failpoint(random: Random): string | null {
  if (random.next() < 0.5) return null
  return `${random.next() < 0.5 ? 'before' : 'after'}-commit:${1 + Math.floor(random.next() * 12)}`
}

/** Runs the pipeline to its end, killing it at most `most` times on the way. */
async function runKilled(folder: string, victim: Victim, random: Random, most: number) {
  let done = 0
  let id: string | null = null
  for (;;) {
    const words: string[] = id === null ? ['run', 'victim.yaml', ...victim.words] : ['runs', 'resume', id]
    const at = done < most ? failpoint(random) : null
    const started = start(folder, words, at === null ? {} : { DAGCTL_FAILPOINT: at })
    const dies =
      at === null ? done < most && (await killed(started, random)) : (await started.ended).exit === 137
    if (dies) done++
    const { exit, err } = await started.ended
    const { document } = await json(folder, ['runs', 'list'])
    const [run, ...others] = document.runs as { id: string; state: string }[]
    if (others.length > 0) throw new Error('there is a second run')
    if (run !== undefined && isEnded(run.state as 'succeeded')) return { id: run.id, done }
    if (exit !== 137) throw new Error(`${words.join(' ')} ended with ${exit}: ${err}`)
    id = run?.id ?? null
  }
}

async function eventsOf(folder: string, id: string): Promise<readonly EventRecord[]> {
  const store = openSqlite({ path: join(folder, '.dagctl/dagctl.db') })
  try {
    return await store.events(id)
  } finally {
    await store.close()
  }
}

t.test(
  'a run whose engines are killed ends as one that never was, and runs nothing twice',
  { timeout },
  async (t) => {
    const cases = casesFolder(t, 'workflows')
    const data = [dataPipeline([]), dataPipeline(['--runtime', 'process'])]
    const victims = [...(cases === null ? [] : smallShapes(cases, 45).slice(0, 8)), ...data]
    const folder = t.testdir({})
    const place = (name: string, { yaml }: Victim) => {
      const where = join(folder, name)
      mkdirSync(where)
      writeFileSync(join(where, 'victim.yaml'), yaml)
      return where
    }
    const whole = new Map<Victim, Ending>()
    for (const [index, victim] of victims.entries()) {
      const where = place(`whole-${index}`, victim)
      const { document } = await json(where, ['run', 'victim.yaml', ...victim.words])
      if (document.run === undefined) throw new Error(`${victim.name}: ${JSON.stringify(document)}`)
      whole.set(victim, await endingOf(where, document.run.id))
    }
    let done = 0
    let rounds = 0
    const inLane = async (lane: number) => {
      const random = seededRandom(seed * lanes + lane)
      while (done < kills) {
        const round = rounds++
        const victim = victims[round % victims.length] as Victim
        const where = place(`killed-${round}`, victim)
        const { id, done: more } = await runKilled(where, victim, random, Math.min(6, kills - done))
        done += more
        const label = `${victim.name}, ${more} kills (round ${round}, DAGCTL_SEED=${seed})`
        t.strictSame(await endingOf(where, id), whole.get(victim), `${label}: the same end`)
        t.strictSame(faultsOf(await eventsOf(where, id), victim.limit), [], `${label}: no event out of turn`)
        const { document } = await json(where, ['runs', 'show', id])
        t.strictSame(unevenOf(where, document.tasks), [], `${label}: each command ran once per try`)
      }
    }
    await Promise.all(Array.from({ length: lanes }, (_, lane) => inLane(lane)))
    t.comment(`${done} kills`)
  },
)
