/** Which parsers the tasks of a file need, loaded. Knows nothing of what they read. */
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import type { Operators } from './operators.ts'
import { hasPlainInput } from './task-context.ts'
import type { Languages } from './task-references.ts'

/** Loads Handlebars' parser only where a `{{` stands, cel-js only where a `when` or `gate` does, ajv only where it must. */
export async function languagesFor(
  text: string,
  tasks: { readonly [id: string]: TaskFile },
  operators: Operators,
): Promise<Languages> {
  const all = Object.values(tasks)
  const expressions = all.some(({ when, gate }) => when !== undefined || gate !== undefined)
  const changing = [...operators].some(([id, { recover }]) => recover ?? tasks[id]?.recover)
  const plain =
    !changing && [...operators].every(([id, operator]) => hasPlainInput(tasks[id] as TaskFile, operator))
  return {
    template: changing || text.includes('{{') ? await templateLanguage() : null,
    expression: expressions ? await expressionLanguage() : null,
    schema: plain ? null : (await import('./json-schema.ts')).validatorOf,
  }
}

async function templateLanguage(): Promise<Languages['template']> {
  const [{ parseTemplate, unsafeExpressions, TemplateError }, { typeOfTemplate }] = await Promise.all([
    import('./template.ts'),
    import('./template-types.ts'),
  ])
  return {
    parse: parseTemplate,
    unsafe: unsafeExpressions,
    type: typeOfTemplate,
    isError: (error) => error instanceof TemplateError,
  }
}

async function expressionLanguage(): Promise<Languages['expression']> {
  const { parseExpression, checkTypes, ExpressionError } = await import('./expression.ts')
  return { parse: parseExpression, check: checkTypes, isError: (error) => error instanceof ExpressionError }
}
