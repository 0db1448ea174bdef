/** A pipeline's tests, `NAME.test.yaml`: text to checked cases, with everything that is wrong with them. Plays nothing. */
import type { JsonSchema } from '../engine/json.ts'
import type { OperatorInfo, Pipeline } from '../engine/pipeline.ts'
import type { PipelineTestsFile } from '../schemas/pipeline-tests.generated.ts'
import schema from '../schemas/pipeline-tests.schema.json' with { type: 'json' }
import { validatorOf } from './json-schema.ts'
import type { Catalogue } from './operators.ts'
import { type Parsed, parse } from './parse.ts'
import { type CheckedCase, checkCase } from './pipeline-tests-case.ts'
import { asFallback, standInsOf } from './pipeline-tests-names.ts'
import type { Path } from './positions.ts'
import { inFileOrder, type Problem } from './problems.ts'
import { Report } from './report.ts'
import type { Source } from './source.ts'
import { quote } from './words.ts'

/** A file of tests as it was read. */
export interface Tests {
  /** null where it is no file of tests; the problems say why. */
  readonly file: PipelineTestsFile | null
  readonly problems: readonly Problem[]
  readonly parsed: Parsed
}

/** Reads a file of tests, and holds it against its schema. Never throws for what is in it. */
export function readTests(source: Source): Tests {
  const parsed = withOwnWords(parse(source))
  const report = new Report(parsed)
  const { value } = parsed
  for (const { code, message, subject, path, atKey, hint } of value === undefined
    ? []
    : validatorOf(schema as JsonSchema)(value)) {
    const complaint = { code, message: subject ? `${quote(nameOf(path))} ${message}` : message, hint }
    if (atKey) report.atKey(path, complaint)
    else report.atValue(path, complaint)
  }
  const file = value === undefined || report.failed ? null : (value as unknown as PipelineTestsFile)
  return { file, problems: inFileOrder(report.problems), parsed }
}

/** The parser speaks of pipelines where there is nothing that it could read. */
function withOwnWords(parsed: Parsed): Parsed {
  const message = 'the file holds no tests'
  const hint = 'a file of tests is a mapping: it needs at least `dagctl: 1` and `cases:`'
  const problems = parsed.problems.map((one) => (one.code === 'E102' ? { ...one, message, hint } : one))
  return { ...parsed, problems }
}

/** The cases of a file against the pipeline that they test; null for `cases` where one has a problem. */
export async function checkTests(
  { file, parsed }: Tests & { readonly file: PipelineTestsFile },
  pipeline: Pipeline,
  catalogue: Catalogue,
): Promise<{ readonly cases: readonly CheckedCase[] | null; readonly problems: readonly Problem[] }> {
  const report = new Report(parsed)
  const operators = new Map<string, OperatorInfo | null>()
  for (const task of pipeline.tasks) {
    operators.set(task.id, (await catalogue.find(task.uses)) ?? null)
    for (const uses of standInsOf(task))
      operators.set(asFallback(task.id, uses), (await catalogue.find(uses)) ?? null)
  }
  const cases: CheckedCase[] = []
  for (const [name, raw] of Object.entries(file.cases))
    cases.push(await checkCase(name, raw, { pipeline, operators, report }))
  return { cases: report.failed ? null : cases, problems: inFileOrder(report.problems) }
}

/** A problem of the file that was found while a case was played: an expectation that does not hold. */
export function problemAt(
  { parsed }: Tests,
  path: Path,
  { message, hint = null, code, atKey = false }: Found,
): Problem {
  const { positions } = parsed
  return parsed.locate({ code, message, hint, span: atKey ? positions.key(path) : positions.value(path) })
}

/** What was found. */
interface Found extends Pick<Problem, 'message' | 'code'> {
  readonly hint?: string | null
  readonly atKey?: boolean
}

/** What a sentence calls a value: by its keys within its case. */
function nameOf(path: Path): string {
  return (path[0] === 'cases' && path.length > 2 ? path.slice(2) : path).join('.')
}
