/** The `SchemaValidate` operator: layer 1 of validation, each record against a JSON Schema. */
import {
  defineOperator,
  type JsonSchema,
  OperatorFailure,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'
import { keep, type RecordsInput, recordsInput, recordsOutput, reject, runRecords } from './records.ts'

/** The operator's input beside the shared options. */
interface SchemaValidateInput extends RecordsInput {
  readonly schema: JsonSchema | string
}

/** Keeps the records that fit the schema, as they stand; the others go into quarantine with the reason. */
export const schemaValidate = defineOperator<SchemaValidateInput>({
  name: 'SchemaValidate',
  stage: 'data',
  summary:
    'Checks each record against a JSON Schema; what does not fit goes into quarantine with the reason.',
  input: {
    type: 'object',
    properties: {
      schema: {
        description:
          'The JSON Schema of a record (2020-12, or draft-07 where `$schema` says so), or the path of a file with it.',
        anyOf: [
          { type: 'object', 'x-schema': true },
          { type: 'string', minLength: 1, 'x-uri': 'input' },
        ],
      },
      // The guide's limit for layer 1: below 1 % malformed.
      ...recordsInput(0.01),
    },
    required: ['input', 'schema'],
    additionalProperties: false,
  },
  output: recordsOutput(),
  effects: 'data',
  example: [
    'check:',
    '  uses: SchemaValidate',
    '  with:',
    '    input: "{{ tasks.ingest.outputs.dataset }}"',
    '    schema:',
    '      type: object',
    '      properties: { text: { type: string, minLength: 1 } }',
    '      required: [text]',
  ].join('\n'),
  async run(input, task) {
    const schema = typeof input.schema === 'string' ? await readSchema(task, input.schema) : input.schema
    const validate = await compileSchema(schema)
    const { outputs } = await runRecords(task, {
      options: { ...input, schema } as SchemaValidateInput,
      transform(record) {
        if (validate(record)) return keep
        const { keyword, instancePath, message = keyword, params = {} } = validate.errors?.[0] ?? {}
        const path = fieldOf(instancePath ?? '', keyword, params)
        return reject(`${keyword} ${path}`, `${path} ${message}`)
      },
    })
    return succeeded(outputs)
  },
})

/** The field that a problem is about, list indices as `*`: few enough to be counted. */
function fieldOf(pointer: string, keyword: string | undefined, params: Record<string, unknown>): string {
  const field = pointer.replace(/\/\d+(?=\/|$)/g, '/*')
  return keyword === 'required' ? `${field}/${params.missingProperty}` : field || '/'
}

async function readSchema(task: TaskContext, uri: string): Promise<JsonSchema> {
  const text = Buffer.concat(await Array.fromAsync(await task.objects.open(uri))).toString()
  try {
    const schema = JSON.parse(text)
    if (typeof schema === 'object' && schema !== null && !Array.isArray(schema)) return schema
  } catch (error) {
    throw new OperatorFailure('invalid_input', `\`schema\`: ${uri} is not JSON: ${(error as Error).message}`)
  }
  throw new OperatorFailure('invalid_input', `\`schema\`: ${uri} does not hold a JSON object`)
}

/** Compiles a user's schema. Strict, so that a misspelt keyword is an error and no check is silently left out. */
async function compileSchema(schema: JsonSchema) {
  const draft7 = /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/.test(String(schema.$schema))
  const [{ Ajv2020 }, { Ajv }, formats] = await Promise.all([
    import('ajv/dist/2020.js'),
    import('ajv'),
    import('ajv-formats'),
  ])
  const options = {
    strict: true,
    strictTypes: false,
    strictRequired: false,
    strictTuples: false,
    allErrors: false,
  } as const
  try {
    const ajv = draft7 ? new Ajv(options) : new Ajv2020(options)
    formats.default.default(ajv)
    return ajv.compile(schema)
  } catch (error) {
    throw new OperatorFailure(
      'invalid_input',
      `\`schema\` is not a valid JSON Schema: ${(error as Error).message}`,
    )
  }
}
