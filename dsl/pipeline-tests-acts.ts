/** What the tasks of a case are told to do, against what their operators can: one thing per try, and outputs of the right type. */
import { isJsonObject, type JsonObject, joined } from '../engine/json.ts'
import type { OperatorInfo } from '../engine/pipeline.ts'
import type { Act, TestCase } from '../schemas/pipeline-tests.generated.ts'
import { validatorOf } from './json-schema.ts'
import { madeUp } from './made-up.ts'
import { type CaseContext, taskOf } from './pipeline-tests-names.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import { quote } from './words.ts'

/** Checks the acts of a case. @returns by task (`asFallback`: where another operator is in its place), what it succeeds with where nothing is said */
export function checkActs(
  raw: TestCase,
  path: Path,
  { operators, report }: CaseContext,
): { readonly [task: string]: JsonObject } {
  const made: { [task: string]: JsonObject } = {}
  for (const [id, operator] of operators) {
    const outputs = operator === null ? {} : madeUp(operator.output, id.split(' ')[0] ?? id)
    made[id] = isJsonObject(outputs) ? outputs : {}
  }
  for (const [word, acts] of Object.entries(raw.tasks ?? {})) {
    const id = taskOf(word)
    const operator = operators.get(id) ?? null
    const at = [...path, 'tasks', word]
    for (const [index, act] of [acts].flat().entries()) {
      const place = Array.isArray(acts) ? [...at, index] : at
      checkAct(act, place, report)
      if (operator !== null && succeeds(act)) checkOutputs(act, made[id] ?? {}, operator, place, report)
    }
  }
  return made
}

function succeeds({ fails, skips }: Act): boolean {
  return fails === undefined && skips === undefined
}

function checkAct(act: Act, path: Path, report: Report): void {
  const endings = (['outputs', 'fails', 'skips'] as const).filter((key) => act[key] !== undefined)
  const [first, second] = endings
  if (second !== undefined)
    report.atKey([...path, second], {
      code: 'E114',
      message: `a try ends in one way: ${quote(second)} cannot stand beside ${quote(first ?? '')}`,
      hint: 'for one try after the other write a list',
    })
  for (const key of ['message', 'times'] as const)
    if (act[key] !== undefined && act.fails === undefined)
      report.atKey([...path, key], { code: 'E114', message: `${quote(key)} belongs to \`fails\`` })
}

/** A stand-in may not give what its operator never would: what is below would be tested with it. */
function checkOutputs(
  act: Act,
  made: JsonObject,
  { name, output }: OperatorInfo,
  path: Path,
  report: Report,
) {
  const outputs = joined((act.outputs ?? {}) as JsonObject, made)
  for (const { code, message, subject, path: inside, atKey, hint } of validatorOf(output)(outputs)) {
    const at = [...path, 'outputs', ...inside]
    const what = `the outputs of ${quote(name)}`
    const complaint = {
      code,
      message: subject ? `${what}: ${quote(inside.join('.'))} ${message}` : `${what}: ${message}`,
      hint,
    }
    if (atKey) report.atKey(at, complaint)
    else report.atValue(at, complaint)
  }
}
