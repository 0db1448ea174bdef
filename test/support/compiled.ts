/** Compiles the YAML that stands in a test. Knows nothing of the tests. */
import { type Compiled, compile, type Options } from '../../dsl/compile.ts'
import type { Catalogue } from '../../dsl/operators.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { builtinCatalogue } from './catalogue.ts'

/** Compiles tasks (the lines below `tasks:`), or a whole file where `dagctl:` stands in it. */
export async function compileYaml(
  yaml: string,
  catalogue: Catalogue = builtinCatalogue,
  options: Options = {},
): Promise<Compiled> {
  const text = yaml.includes('dagctl:')
    ? yaml
    : `dagctl: 1\npipeline: test\n${/^\s*tasks:/m.test(yaml) ? '' : 'tasks:\n'}${yaml}`
  return compile({ text, file: 'test.yaml' }, catalogue, options)
}

/** The pipeline of a file without errors; throws with what is wrong. */
export async function pipelineOf(yaml: string, catalogue?: Catalogue): Promise<Pipeline> {
  const { pipeline, problems } = await compileYaml(yaml, catalogue)
  if (!pipeline)
    throw new Error(problems.map(({ line, code, message }) => `${line}: ${code} ${message}`).join('\n'))
  return pipeline
}

/** What is wrong, as `CODE message`, warnings left out. */
export async function errorsOf(yaml: string, catalogue?: Catalogue): Promise<readonly string[]> {
  const { problems } = await compileYaml(yaml, catalogue)
  return problems
    .filter(({ severity }) => severity === 'error')
    .map(({ code, message }) => `${code} ${message}`)
}

/** The codes of the warnings. */
export async function warningsOf(yaml: string, catalogue?: Catalogue): Promise<readonly string[]> {
  const { problems } = await compileYaml(yaml, catalogue)
  return problems.filter(({ severity }) => severity === 'warning').map(({ code }) => code)
}
