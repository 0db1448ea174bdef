/** docs/pipeline-tests.md: every key of a file of tests, from its JSON Schema. */
import { readFileSync } from 'node:fs'
import type { JsonSchema } from '../engine/json.ts'
import { section } from './pipeline-page.ts'

type Properties = { readonly [name: string]: JsonSchema }

/** The page's text. */
export function testsPage(): string {
  const url = new URL('../schemas/pipeline-tests.schema.json', import.meta.url)
  const { properties, $defs } = JSON.parse(readFileSync(url, 'utf8')) as {
    readonly properties: Properties
    readonly $defs: Properties
  }
  const of = (name: string) => ($defs[name]?.properties ?? {}) as Properties
  const parts = [
    '# The file of tests',
    '',
    'Generated from schemas/pipeline-tests.schema.json by `npm run generate`; do not edit. How tests are written is told in',
    '[Testing pipelines](testing-pipelines.md). Unknown keys are errors.',
    '',
    ...section('Keys of the file', properties, [], $defs),
    ...section('Keys of a case', of('case'), [], $defs),
    ...section('`tasks`: what a task does in one try', of('act'), [], $defs),
    ...section('`answers`: what a person says', of('answer'), [], $defs),
    ...section('`faults`: what goes wrong', of('fault'), [], $defs),
    ...section('`expect`: what must hold once the run is over', of('expected'), [], $defs),
    ...section('`expect.tasks`: what becomes of a task', of('expectedTask'), [], $defs),
  ]
  return `${parts.join('\n').trimEnd()}\n`
}
