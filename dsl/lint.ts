/** What is allowed but probably a mistake: warnings. Those on the graph of all tasks have files of their own. Knows no YAML. */
import type { Task } from '../engine/pipeline.ts'
import type { LocalTask, PlacedTask } from './inline.ts'
import { isGuarded, lintPersonalData } from './lint-data.ts'
import { lintDeploys } from './lint-deploys.ts'
import type { Report } from './report.ts'
import { quote } from './words.ts'

/** Reports the lints of a pipeline without errors; W105 is schedule.ts'. Of a file for others, only what it alone decides. */
export function lint(placed: readonly PlacedTask[], forUse: boolean): void {
  if (!forUse && placed.some(({ local }) => isGuarded(local))) {
    lintPersonalData(placed)
    lintDeploys(placed)
  }
  for (const { tasks, report } of new Set(placed.map(({ home }) => home))) {
    lintCheckpoints(tasks, report)
    lintTimeouts(tasks, report)
    for (const { task } of tasks) lintSecrets(task, report)
  }
}

function lintCheckpoints(tasks: readonly LocalTask[], report: Report): void {
  for (const { task, operator, checkpoint } of tasks) {
    if (operator.stage !== 'training' || !operator.name.endsWith('Train') || checkpoint) continue
    report.atKey(['tasks', task.id], {
      code: 'W103',
      severity: 'warning',
      message: `${quote(task.id)} trains without a checkpoint`,
      hint: 'add `checkpoint:`, so that a failure does not start it anew',
    })
  }
}

/** One warning for all: a whole file without timeouts is one omission. What runs inside the engine for a moment is exempt. */
function lintTimeouts(tasks: readonly LocalTask[], report: Report): void {
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
