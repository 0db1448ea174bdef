/** `npm run bench -- NAME…`: runs benchmarks and prints their tables. Without a name it lists them. */
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { median, type Row, type Side, type Workload } from './workload.ts'

const benches: {
  readonly [name: string]: { readonly about: string; load(): Promise<() => Promise<Workload>> }
} = {
  shell: {
    about: 'B1: 1,000 x /bin/true, wide and chain',
    load: async () => (await import('./shell.ts')).shell,
  },
  engines: {
    about: 'B1 beside other engines: 1,000 x /bin/true, wide and chain',
    load: async () => (await import('./engines.ts')).engines,
  },
  noop: {
    about: 'B2: 10,000 and 100,000 Noop, wide, chain, layered',
    load: async () => (await import('./noop.ts')).noop,
  },
  scale: {
    about: 'Scale: 1,000 to 1,000,000 Noop, wide and layered',
    load: async () => (await import('./scale.ts')).scale,
  },
  compile: {
    about: 'B3: compile a 100,000-task file',
    load: async () => (await import('./compile.ts')).compile,
  },
  startup: {
    about: 'B4: --version and validate of a small file',
    load: async () => (await import('./startup.ts')).startup,
  },
  handover: {
    about: 'B5: from the end of a task to the start of the next, in a warm worker',
    load: async () => (await import('./handover.ts')).handover,
  },
  fibo: {
    about: 'B6: 40 x fibo(10) in a chain, 10 x fibo(33) side by side',
    load: async () => (await import('./fibo.ts')).fibo,
  },
  backfill: {
    about: 'B8: backfill of 3,650 daily intervals x 10 Noop, beside a live run every second',
    load: async () => (await import('./backfill.ts')).backfill,
  },
  'fan-out': {
    about: 'B9: a chain beside 5,000 blocked tasks; foreach over 100 to 100,000 items',
    load: async () => (await import('./fan-out.ts')).fanOuts,
  },
  serve: {
    about: 'B11: idle serve with 1,000 scheduled pipelines',
    load: async () => (await import('./serve.ts')).serve,
  },
  year: {
    about: 'A simulated year of 200 daily pipelines',
    load: async () => (await import('./year.ts')).year,
  },
  memory: {
    about: 'Memory of data operators over 1 GB',
    load: async () => (await import('./memory.ts')).memory,
  },
}

const names = process.argv.slice(2)
const unknown = names.filter((name) => !Object.hasOwn(benches, name))
if (names.length === 0 || unknown.length > 0) {
  if (unknown.length > 0) console.error(`no benchmark ${unknown.join(', ')}`)
  console.log('usage: npm run bench -- NAME…')
  for (const [name, { about }] of Object.entries(benches)) console.log(`  ${name.padEnd(8)} ${about}`)
  process.exitCode = unknown.length > 0 ? 2 : 0
} else {
  // After all of them: for minutes after many files were removed, ext4 takes several times as long to make one.
  const made: Workload[] = []
  try {
    for (const name of names) await report(name, made)
  } finally {
    for (const workload of made) workload.dispose()
  }
}

async function report(name: string, made: Workload[]): Promise<void> {
  const bench = benches[name]
  if (!bench) return
  const workload = await (await bench.load())()
  made.push(workload)
  console.log(`## ${bench.about}\n`)
  console.log('| workload | ours | beside it | ratio | to reach |\n|---|---|---|---|---|')
  for (const row of workload.rows) for (const line of await measure(row)) console.log(line)
  console.log(`\n${[...machine(), ...workload.notes].map((line) => `- ${line}`).join('\n')}\n`)
  const picture = workload.picture?.()
  if (picture !== undefined) console.error(`wrote ${picture}`)
}

/** Each side once per round, in turn, so that a slow spell of the machine meets them all. */
async function measure(row: Row): Promise<string[]> {
  const sides = [row.ours, ...row.others]
  const figures = new Map<Side, number[]>(sides.map((side) => [side, []]))
  for (let round = 0; round < Math.max(5, row.rounds ?? 5); round++) {
    for (const side of sides) figures.get(side)?.push(await side.run())
  }
  const show = (side: Side) => spread(figures.get(side) ?? [], side.unit ?? row.unit)
  const ours = median(figures.get(row.ours) ?? [])
  if (row.others.length === 0) return [`| ${row.workload} | ${show(row.ours)} | | | ${row.goal ?? ''} |`]
  return row.others.map((other, index) => {
    const ratio = (ours / median(figures.get(other) ?? [])).toFixed(2)
    const goal = index === 0 ? (row.goal ?? '') : ''
    return `| ${row.workload} | ${row.ours.name} ${show(row.ours)} | ${other.name} ${show(other)} | ${ratio} | ${goal} |`
  })
}

function spread(values: readonly number[], unit: string): string {
  const show = (value: number) =>
    value >= 100 ? Math.round(value).toLocaleString('en-US') : value.toFixed(value < 1 ? 2 : 1)
  return `**${show(median(values))} ${unit}** (${show(Math.min(...values))}-${show(Math.max(...values))})`
}

function machine(): string[] {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  const [first] = cpus()
  const memory = (totalmem() / 2 ** 30).toFixed(0)
  return [
    `${new Date().toISOString()}, dagctl ${version}, Node ${process.versions.node}; medians of at least 5 runs in turn, with the range`,
    `${cpus().length} x ${first?.model.trim() || 'CPU'}, ${memory} GiB, ${process.platform} ${release()}, load ${loadavg()[0]?.toFixed(1)}`,
  ]
}
