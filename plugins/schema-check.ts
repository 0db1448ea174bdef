/** Values against an operator's JSON Schemas (2020-12), with defaults filled in. The one importer of ajv for operators. */
import type { ErrorObject, ValidateFunction } from 'ajv'
import type { JsonSchema } from '../engine/json.ts'

/** Checks a value; null where it fits, else the sentence that says where and why it does not. Fills in defaults, in place. */
export type Check = (value: unknown) => string | null

let compile: Promise<(schema: JsonSchema) => ValidateFunction> | undefined

async function load(): Promise<(schema: JsonSchema) => ValidateFunction> {
  const [{ Ajv2020 }, formats] = await Promise.all([import('ajv/dist/2020.js'), import('ajv-formats')])
  // Checking the schemas themselves would compile their meta-schema in every process: seven times all else here.
  const ajv = new Ajv2020({
    useDefaults: true,
    strict: false,
    allErrors: false,
    meta: false,
    validateSchema: false,
    verbose: true,
  })
  formats.default.default(ajv)
  return (schema) => ajv.compile(schema)
}

/** Compiles a schema; call it once per operator. Throws ajv's error where the schema itself is wrong. */
export async function checkOf(schema: JsonSchema): Promise<Check> {
  compile ??= load()
  const validate = (await compile)(schema)
  return (value) => (validate(value) ? null : sentence(tellingError(validate.errors ?? [])))
}

/** Of alternatives the first one's fault would mislead: the last error says that none of them fits. */
function tellingError(errors: readonly ErrorObject[]): ErrorObject | undefined {
  const last = errors.at(-1)
  return last?.keyword === 'anyOf' || last?.keyword === 'oneOf' ? last : errors[0]
}

/** `/fields/name must be string`, with the names that ajv keeps apart. */
function sentence(error: ErrorObject | undefined): string {
  if (error === undefined) return 'it does not fit'
  const where = error.instancePath === '' ? 'it' : error.instancePath
  const { additionalProperty, allowedValues } = error.params as {
    additionalProperty?: string
    allowedValues?: unknown[]
  }
  if (additionalProperty !== undefined) return `${where} has an unknown property '${additionalProperty}'`
  if (allowedValues !== undefined)
    return `${where} must be one of ${allowedValues.map((value) => JSON.stringify(value)).join(', ')}`
  const says = error.parentSchema?.['x-says']
  return `${where} ${typeof says === 'string' ? `must be ${says}` : (error.message ?? 'does not fit')}`
}
