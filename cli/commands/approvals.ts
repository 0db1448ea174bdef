/** `dagctl approvals list|answer`: what waits for a person, and the answers. */
import type { CheckedAnswer } from '../../dsl/answer.ts'
import { quote } from '../../dsl/words.ts'
import { DagctlError, exits } from '../../engine/errors.ts'
import type { JsonObject } from '../../engine/json.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { isEnded } from '../../engine/state.ts'
import type { RunRecord } from '../../engine/store/records.ts'
import type { Store, Wish } from '../../engine/store/store.ts'
import { action, type Call, collect, type Declare, examples, printJson } from '../command.ts'
import { follow } from '../follow.ts'
import { hasLivingOwner } from '../owner.ts'
import { personOf } from '../person.ts'
import { instantOf, oneLine, paintFor, shortTime, table } from '../print.ts'
import { type OpenQuestion, openQuestions, questionIn, questionsOf } from '../questions.ts'
import { request } from '../runs-elsewhere.ts'
import { wrongOption } from '../settings.ts'
import type { Stage } from '../stage.ts'
import { nodesOf } from '../task-words.ts'
import type { Terminal } from '../terminal.ts'
import { noSuchRun, openStore, reading } from '../wiring.ts'

interface AnswerOptions {
  readonly value?: readonly string[]
  readonly values?: string
  readonly reason?: string
  readonly by?: string
}

const decisions = ['approve', 'reject'] as const
type Decision = (typeof decisions)[number]

/** Declares `dagctl approvals`. */
export const approvals: Declare = (command, context) => {
  const id = '20261123-154017-x7qk3m'
  command.addHelpText('after', examples('approvals list', `approvals answer ${id} release approve`))
  command
    .command('list')
    .description('List what waits for a person, over all active runs')
    .addHelpText('after', '\nKinds: approval, review, hold (approve tries again, reject fails), budget.')
    .addHelpText('after', examples('approvals list --json'))
    .action(action(context, list))
  command
    .command('answer')
    .description('Answer what a task asks')
    .argument('<run>', 'the id of a run')
    .argument(
      '<words...>',
      '[TASK] approve|reject: TASK (id, id[KEY], group.id[KEY]) where the run asks more than one',
    )
    .option('--value <name=value>', 'a field of the form; may be given many times', collect)
    .option('--values <json>', 'fields of the form, as a JSON object')
    .option('--reason <text>', 'why; it is kept with the answer')
    .option('--by <name>', 'who answers (default: your user name)')
    .addHelpText('after', '\nOf a run that is paused for its budget, `approve` lets it go on.')
    .addHelpText(
      'after',
      examples(
        `approvals answer ${id} release approve --value percent=10`,
        `approvals answer ${id} 'review[north]' reject --reason 'two names are left'`,
      ),
    )
    .action(action<AnswerOptions>(context, answer))
}

async function list({ terminal, settings }: Call): Promise<number> {
  const found = await reading(settings, openQuestions)
  if (settings.json) printJson(terminal, { approvals: found.map(questionRow) })
  else await printQuestions(found, terminal)
  return exits.ok
}

function questionRow({ run, task, keys, kind, message, form, details, since }: OpenQuestion): object {
  return {
    run: run.id,
    pipeline: run.pipeline,
    task,
    key: keys,
    kind,
    message,
    form,
    details,
    since: instantOf(since),
  }
}

async function printQuestions(found: readonly OpenQuestion[], { out, err, env }: Terminal): Promise<void> {
  if (found.length === 0) return err.write('nothing waits for a person\n')
  const paint = paintFor(out, env)
  const rows = found.map(({ run, name, kind, message, form, since }) => [
    run.id,
    run.pipeline,
    oneLine(name ?? ''),
    paint.yellow(kind),
    since === null ? '' : shortTime(since),
    oneLine(message).slice(0, 200),
    Object.keys((form.properties ?? {}) as object).join(', '),
  ])
  out.write(`${await table(['run', 'pipeline', 'task', 'kind', 'since', 'question', 'form'], rows)}\n`)
}

async function answer(
  { terminal, settings, options }: Call<AnswerOptions>,
  id: string,
  words: readonly string[],
): Promise<number> {
  const decision = decisionOf(words)
  const store = await openStore(settings)
  try {
    const stage = { store, settings, terminal }
    const run = await store.run(id)
    if (run === null) throw noSuchRun(id)
    const question = await questionMeant(store, run, words.length === 2 ? words[0] : undefined)
    const values = await valuesOf(question, decision, options)
    const wish = wishOf(question, { decision, values, reason: options.reason })
    await request(stage, id, wish, personOf(terminal, options.by))
    const heard = await isHeard(stage, question)
    const { task, keys: key } = question
    if (settings.json) printJson(terminal, { answer: { run: id, task, key, decision, values, heard } })
    else terminal.out.write(`${question.name ?? question.kind} of run ${id}: ${past[decision]}\n`)
    if (!heard)
      terminal.err.write(`no engine has the run now: it hears the answer with dagctl runs resume ${id}\n`)
    return exits.ok
  } finally {
    await store.close()
  }
}

const past = { approve: 'approved', reject: 'rejected' } as const

function decisionOf(words: readonly string[]): Decision {
  const last = words.at(-1) as Decision
  if (words.length <= 2 && decisions.includes(last)) return last
  throw wrongOption(`${words.map(quote).join(' ')} is no answer`, 'write [TASK] approve, or [TASK] reject')
}

/** The question that a word names, or the only one of the run. Throws E240 where nothing is asked, or more than one thing. */
async function questionMeant(store: Store, run: RunRecord, word: string | undefined): Promise<OpenQuestion> {
  if (isEnded(run.state)) throw refused(`run ${run.id} asks nothing: it has ${run.state}`)
  const questions = await questionsOf(store, run)
  const meant = word === undefined ? questions : await asked(store, run, questions, word)
  const [first, second] = meant
  const names = meant.map(({ name, kind }) => quote(name ?? kind)).join(', ')
  if (first === undefined)
    throw refused(`${word === undefined ? `run ${run.id}` : `task ${quote(word)}`} asks nothing`)
  if (second !== undefined) throw refused(`there is more than one question: ${names}`, 'name one of them')
  return first
}

async function asked(
  store: Store,
  run: RunRecord,
  questions: readonly OpenQuestion[],
  word: string,
): Promise<readonly OpenQuestion[]> {
  if (word === 'budget' && questions.some(({ kind }) => kind === 'budget'))
    return questions.filter(({ kind }) => kind === 'budget')
  const pipeline = (await store.pipeline(run.version)) as Pipeline
  const nodes = nodesOf(pipeline, await store.tasks(run.id), word)
  return questions.filter(({ node }) => node !== null && nodes.includes(node))
}

/** The answer's values. Throws E241 with all that is wrong with them; a rejection need not fill in the form. */
async function valuesOf(
  { form }: OpenQuestion,
  decision: Decision,
  { value = [], values }: AnswerOptions,
): Promise<JsonObject> {
  const words = value.map((word): [string, string] => {
    const at = word.indexOf('=')
    if (at <= 0)
      throw wrongOption(`--value ${word}: there is no name before a \`=\``, 'write --value name=value')
    return [word.slice(0, at), word.slice(at + 1)]
  })
  const whole = objectOf(values)
  const names = [...words.map(([name]) => name), ...Object.keys(whole)]
  const twice = names.find((name, index) => names.indexOf(name) < index)
  if (twice !== undefined)
    throw wrongOption(`${quote(twice)} is given twice`, 'give it once, by --value or in --values')
  const { checkAnswer } = await import('../../dsl/answer.ts')
  const complete = decision === 'approve'
  const checked: CheckedAnswer = checkAnswer(form, { words, values: whole, complete })
  const [first] = checked.problems
  if (first === undefined) return checked.values
  const message = `the answer does not match the form: ${checked.problems.map(({ message }) => message).join('; ')}`
  const hint = checked.problems.find(({ hint }) => hint !== null)?.hint
  throw new DagctlError('E241', message, hint == null ? { kind: 'usage' } : { kind: 'usage', hint })
}

function objectOf(text: string | undefined): JsonObject {
  if (text === undefined) return {}
  const wrong = wrongOption(`--values is no JSON object`, `write --values '{"name": "value"}'`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw wrong
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong
  return value as JsonObject
}

function wishOf(
  { node, attempt, run }: OpenQuestion,
  given: { readonly decision: Decision; readonly values: JsonObject; readonly reason: string | undefined },
): Wish {
  const { decision, values, reason } = given
  if (node !== null)
    return { kind: 'answer', node, attempt, decision, values, ...(reason !== undefined && { reason }) }
  if (decision === 'approve') return { kind: 'resume' }
  throw refused('a budget cannot be rejected', `the run stays paused; dagctl runs cancel ${run.id} ends it`)
}

/** Waits until the engine that has the run has taken the answer; false where none has it. */
async function isHeard(stage: Stage, { run, node }: OpenQuestion): Promise<boolean> {
  const { store, terminal } = stage
  let heard = false
  await follow({ ...stage, run: run.id }, async (now) => {
    const row = node === null ? undefined : (await store.tasks(run.id))[node]
    heard = row === undefined ? now.state !== 'paused' : questionIn(row) === null
    return heard || !(await hasLivingOwner(store, now, terminal.clock))
  })
  return heard
}

function refused(message: string, hint = 'see `dagctl approvals list`'): DagctlError {
  return new DagctlError('E240', message, { kind: 'usage', hint })
}
