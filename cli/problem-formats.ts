/** Problems of files in the forms that code hosts read: SARIF 2.1.0 and GitHub's workflow commands. Pure. */
import { codes } from '../dsl/codes.ts'
import type { Problem } from '../dsl/problems.ts'
import { type Checked, isNew } from './pipelines.ts'

/** A SARIF log (OASIS, version 2.1.0) with one result per problem. */
export function toSarif(checked: readonly Checked[]): object {
  const problems = problemsOf(checked)
  const used = [...new Set(problems.map(({ code }) => code))].sort()
  const rules = used.map((id) => ({
    id,
    shortDescription: { text: (codes as { readonly [code: string]: string })[id] ?? id },
  }))
  const driver = { name: 'dagctl', rules }
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', results: problems.map(resultOf) }],
  }
}

function problemsOf(checked: readonly Checked[]): readonly Problem[] {
  return checked.flatMap(({ problems }) => problems).filter(isNew(new Set()))
}

function resultOf({ code, severity, message, hint, file, line, column, length }: Problem): object {
  const region = { startLine: line, startColumn: column, endColumn: column + length }
  return {
    ruleId: code,
    level: severity,
    message: { text: hint === null ? message : `${message} (${hint})` },
    locations: [{ physicalLocation: { artifactLocation: { uri: encodeURI(file) }, region } }],
  }
}

/** One workflow command of GitHub Actions per problem, which shows it beside the line. */
export function toGithub(checked: readonly Checked[]): string {
  return problemsOf(checked)
    .map(({ severity, code, message, hint, file, line, column }) => {
      const text = hint === null ? message : `${message}\n${hint}`
      const places = `file=${property(file)},line=${line},col=${column},title=${property(code)}`
      return `::${severity} ${places}::${data(text)}\n`
    })
    .join('')
}

function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
