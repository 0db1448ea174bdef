/** The schemas of a file's parameters or inputs and their defaults, when it is compiled. Knows nothing of runs. */
import type { JsonSchema } from '../engine/json.ts'
import type { Mismatch } from './json-schema.ts'
import { certainlyMatches, isPlain } from './quick-check.ts'
import type { Report } from './report.ts'
import { quote } from './words.ts'

type Params = { readonly [name: string]: JsonSchema }

/** Checks that each schema below the key is one, and that its default matches it. Gives the schemas that are. */
export async function checkParams(
  params: Params,
  report: Report,
  key: 'params' | 'inputs' = 'params',
): Promise<Params> {
  const good: [string, JsonSchema][] = []
  for (const [name, schema] of Object.entries(params)) {
    const certain = schema.default === undefined ? isPlain(schema) : certainlyMatches(schema, schema.default)
    if (certain || (await checkByAjv([key, name], schema, report))) good.push([name, schema])
  }
  return Object.fromEntries(good)
}

/** Whether the schema is one; what is wrong with it or with its default is reported. */
async function checkByAjv(
  path: readonly ['params' | 'inputs', string],
  schema: JsonSchema,
  report: Report,
): Promise<boolean> {
  const [key, name] = path
  const { compileSchema } = await import('./json-schema.ts')
  try {
    const validate = compileSchema(schema)
    for (const mismatch of schema.default === undefined ? [] : validate(schema.default)) {
      const message = aboutParam('the default of', name, mismatch)
      report.atValue([...path, 'default', ...mismatch.path], {
        code: 'E141',
        message,
        hint: mismatch.hint,
      })
    }
    return true
  } catch (error) {
    const message = `the schema of the ${key === 'params' ? 'parameter' : 'input'} ${quote(name)} is wrong: ${(error as Error).message}`
    report.atKey(path, { code: 'E141', message })
    return false
  }
}

/** A mismatch as a sentence about a parameter, or a place inside its value. */
export function aboutParam(
  subject: string,
  name: string,
  { message, path, subject: needed }: Mismatch,
): string {
  const place = quote([name, ...path].join('.'))
  return needed ? `${subject} ${place} ${message}` : `${subject} ${place}: ${message}`
}
