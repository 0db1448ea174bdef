/** A plan as people read it: the tasks in order, what they would be given, and what it comes to. Knows no store. */
import type { Json } from '../../engine/json.ts'
import { pointerPart } from '../../engine/pointer.ts'
import { counted, duration, oneLine, type Paint, paintFor, shortInterval, table } from '../print.ts'
import type { Terminal } from '../terminal.ts'
import type { Plan, PlannedTask } from './plan.ts'
import type { Asked } from './resolve.ts'

/** Values of one task's input that are shown, and characters of one. */
const most = { values: 8, characters: 80 } as const

/** Prints a plan. */
export async function printPlan(plan: Plan, asked: Asked, { out, env }: Terminal): Promise<void> {
  const paint = paintFor(out, env)
  const { pipeline, interval } = asked
  out.write(`${pipeline.name} (${shortInterval(interval)}), ${counted(plan.tasks.length, 'task')}\n\n`)
  const rows = plan.tasks.map((task) => [
    task.id,
    doing(task, paint),
    task.instances === null ? '?' : String(task.instances),
    seconds(task.estimate.seconds),
    money(task.cost.usd),
  ])
  const right = ['instances', 'time', 'usd']
  if (rows.length > 0) out.write(`${await table(['task', 'does', ...right], rows, right)}\n\n`)
  for (const task of plan.tasks) for (const line of inputLines(task, paint)) out.write(`${line}\n`)
  for (const line of totalLines(plan)) out.write(`${line}\n`)
}

function doing({ action, because, cached, cache }: PlannedTask, paint: Paint): string {
  if (action === 'skip') return paint.dim(`skipped: ${oneLine(because ?? '')}`)
  if (action === 'reuse') return paint.green(`reuses run ${cached}`)
  if (action === 'undecided') return paint.yellow(`runs or not, ${oneLine(because ?? '')}`)
  return cache === 'unknown' ? 'runs, or reuses: not known yet' : 'runs'
}

function inputLines(task: PlannedTask, paint: Paint): readonly string[] {
  if (task.action === 'skip') return []
  const values = leaves(task.input, '')
  const lines = values.slice(0, most.values).map(({ path, value }) => {
    const text = oneLine(typeof value === 'string' ? value : JSON.stringify(value))
    const cut = text.length > most.characters ? `${text.slice(0, most.characters - 1)}…` : text
    const name = `  ${task.id}.${path.split('/').slice(1).join('.')} = `
    return name + (task.unresolved.includes(path) ? paint.yellow(`${cut} (not known yet)`) : cut)
  })
  const rest = values.length - lines.length
  if (rest > 0) lines.push(`  ${task.id}: and ${counted(rest, 'more value')}`)
  lines.push(...task.faults.map((fault) => paint.red(`  ${task.id}: ${oneLine(fault)}`)))
  return lines
}

function leaves(value: Json, path: string): readonly { readonly path: string; readonly value: Json }[] {
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return path === '' ? [] : [{ path, value }]
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner as Json, `${path}/${pointerPart(key)}`))
}

function totalLines({ total }: Plan): readonly string[] {
  const { unknown, criticalPath, atLeastSeconds, usd, gpuHours } = total
  const time =
    total.seconds === null
      ? `at least ${seconds(atLeastSeconds)}; not known: ${some(unknown)}`
      : `${seconds(total.seconds)}, of which the longest chain is ${criticalPath.join(' > ')}`
  const gpus =
    gpuHours === 0 ? '' : `, ${gpuHours === null ? 'GPU hours unknown' : `${gpuHours.toFixed(2)} GPU hours`}`
  return [
    '',
    `time: ${time}`,
    `cost: ${usd === null ? 'unknown' : `${money(usd)} USD`}${gpus}`,
    'memory: unknown',
  ]
}

function some(names: readonly string[]): string {
  return names.length <= 10
    ? names.join(', ')
    : `${names.slice(0, 10).join(', ')} and ${names.length - 10} more`
}

function seconds(value: number | null): string {
  return value === null ? '?' : duration(value * 1000)
}

function money(value: number | null): string {
  return value === null ? '?' : value.toFixed(2)
}
