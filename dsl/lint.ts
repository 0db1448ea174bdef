/** What is allowed but probably a mistake: warnings, found on the graph of tasks and on values. Knows no YAML. */
import type { OperatorInfo, Task } from '../engine/pipeline.ts'
import { topologicalOrder } from './graph.ts'
import type { Report } from './report.ts'
import { quote } from './words.ts'

/** A task with what lint reads of it. */
export interface LintTask {
  readonly task: Task
  readonly operator: OperatorInfo
  /** Whether the file gives it a `checkpoint`. */
  readonly checkpoint: boolean
}

/** Reports the lints of a pipeline without errors; W105 is schedule.ts'. */
export function lint(tasks: readonly LintTask[], report: Report): void {
  const needs = tasks.map(({ task }) => task.needs)
  const order = topologicalOrder(needs)
  if (tasks.some(({ operator }) => guarded.has(operator.stage))) {
    lintPersonalData(tasks, order, report)
    lintDeploys(tasks, order, report)
    lintCheckpoints(tasks, report)
  }
  lintTimeouts(tasks, report)
  for (const { task } of tasks) lintSecrets(task, report)
}

const guarded: ReadonlySet<string> = new Set(['training', 'evaluation', 'deployment'])

function warn(
  report: Report,
  id: string,
  code: 'W101' | 'W102' | 'W103',
  message: string,
  hint: string,
): void {
  report.atKey(['tasks', id], { code, severity: 'warning', message, hint })
}

/** Data enters by the first data operators of each path; only PIIMasker makes it clean. */
function lintPersonalData(tasks: readonly LintTask[], order: readonly number[], report: Report): void {
  /** For each task, one that brings its unmasked data in; -1 for none. */
  const source = new Int32Array(tasks.length).fill(-1)
  const belowData = new Uint8Array(tasks.length)
  for (const index of order) {
    const { task, operator } = tasks[index] as LintTask
    const handlesData = operator.stage === 'data' && !operator.sensor
    const above = task.needs.some((need) => belowData[need] === 1)
    belowData[index] = handlesData || above ? 1 : 0
    if (operator.name === 'PIIMasker') continue
    source[index] =
      task.needs.map((need) => source[need] ?? -1).find((found) => found !== -1) ??
      (handlesData && !above ? index : -1)
    const from = tasks[source[index] ?? -1]
    if (!from || !guarded.has(operator.stage)) continue
    const message = `data of ${quote(from.task.id)} reaches ${quote(task.id)} (${operator.stage}) without \`PIIMasker\` on the way`
    warn(report, task.id, 'W101', message, 'put a `PIIMasker` between them, on every path')
  }
}

function lintDeploys(tasks: readonly LintTask[], order: readonly number[], report: Report): void {
  const gated = new Uint8Array(tasks.length)
  for (const index of order) {
    const { task, operator } = tasks[index] as LintTask
    const above = task.needs.some((need) => gated[need] === 1)
    const evaluates = task.needs.some((need) => tasks[need]?.operator.stage === 'evaluation')
    const isGate = operator.stage === 'evaluation' && (task.gate.length > 0 || operator.name === 'Gate')
    const decides = evaluates && task.when !== null
    gated[index] = above || isGate || decides ? 1 : 0
    if (operator.effects !== 'deploy' || operator.name === 'Rollback' || gated[index] === 1) continue
    const message = `${quote(task.id)} deploys without an evaluation gate above it`
    warn(report, task.id, 'W102', message, 'let it need an evaluation with a `gate:`')
  }
}

function lintCheckpoints(tasks: readonly LintTask[], report: Report): void {
  for (const { task, operator, checkpoint } of tasks) {
    if (operator.stage !== 'training' || !operator.name.endsWith('Train') || checkpoint) continue
    warn(
      report,
      task.id,
      'W103',
      `${quote(task.id)} trains without a checkpoint`,
      'add `checkpoint:`, so that a failure does not start it anew',
    )
  }
}

/** One warning for all: a whole file without timeouts is one omission. What runs inside the engine for a moment is exempt. */
function lintTimeouts(tasks: readonly LintTask[], report: Report): void {
  const without = tasks.filter(
    ({ task, operator }) =>
      task.timeout === null &&
      !(operator.stage === 'control' && operator.runtimes[0] === 'inline' && !operator.sensor),
  )
  const [first] = without
  if (!first) return
  const others =
    without.length === 1 ? '' : ` and ${without.length - 1} other${without.length === 2 ? '' : 's'}`
  const message = `${quote(first.task.id)}${others} ${without.length === 1 ? 'has' : 'have'} no timeout`
  report.atKey(['tasks', first.task.id], {
    code: 'W104',
    severity: 'warning',
    message,
    hint: 'set `timeout:`, or `defaults.timeout`',
  })
}

// Formats as their issuers document them: AWS access keys, GitHub, Slack, OpenAI/Anthropic, Hugging Face and Google
// keys, private keys in PEM, and passwords in URLs.
const secretValue =
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bgh[pousr]_[A-Za-z0-9]{36,}\b|\bgithub_pat_\w{40,}\b|\bxox[abprs]-[A-Za-z0-9-]{10,}|\bsk-[A-Za-z0-9_-]{20,}|\bhf_[A-Za-z0-9]{30,}\b|\bAIza[\w-]{35}|-----BEGIN [A-Z ]*PRIVATE KEY-----|\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@{}]+:[^\s/@{}]+@/
const secretName =
  /(?:^|[_-]|[a-z](?=[A-Z]))(?:password|passwd|secret|token|api[_-]?key|private[_-]?key|access[_-]?key)$/i

function lintSecrets(task: Task, report: Report): void {
  const base = ['tasks', task.id]
  lintSecretsIn(task.with, [...base, 'with'], report)
  lintSecretsIn(task.env, [...base, 'env'], report)
}

function lintSecretsIn(value: unknown, path: readonly (string | number)[], report: Report): void {
  if (typeof value === 'string') {
    const named = secretName.test(String(path.at(-1))) && value.length >= 8 && !value.includes('{{')
    if (!named && !secretValue.test(value)) return
    report.atKey(path, {
      code: 'W106',
      severity: 'warning',
      message: `${quote(path.slice(2).join('.'))} looks like a secret in plain text`,
      hint: 'keep it out of the file: pass it by the environment',
    })
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      lintSecretsIn(item, [...path, Array.isArray(value) ? Number(key) : key], report)
  }
}
