/** The `Approval` operator: waits for a person's word, as long as it takes. Knows nothing of how people are asked. */
import {
  again,
  ask,
  defineOperator,
  failed,
  formFault,
  formSchema,
  heardOf,
  type Json,
  type JsonObject,
  type JsonSchema,
  onRejectSchema,
  rejection,
  succeeded,
} from '../../plugins/api.ts'

/** What is asked, and what a no means. */
interface ApprovalInput {
  readonly message: string
  readonly details?: Json
  readonly form: JsonObject
  readonly onReject: 'fail' | 'skip'
}

/** Succeeds when a person approves; the values of the form are its outputs. */
export const approval = defineOperator<ApprovalInput>({
  name: 'Approval',
  stage: 'control',
  summary: 'Waits until a person approves or rejects, without holding a slot; `dagctl approvals` answers.',
  input: {
    type: 'object',
    properties: {
      message: { type: 'string', minLength: 1, description: 'What the person is asked.' },
      details: { description: 'What else the person should see: any value.' },
      form: {
        ...formSchema,
        default: {},
        description:
          'JSON Schema of the values that an approval gives, an object. Default: none are asked for.',
      },
      onReject: onRejectSchema,
    },
    required: ['message'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      approved: { type: 'boolean', const: true },
      values: { type: 'object', additionalProperties: true, description: 'What was entered in the form.' },
      by: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['approved', 'values', 'by', 'at'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  example:
    'release: { uses: Approval, needs: [evaluate], with: { message: "Release the model?", details: "{{ tasks.evaluate.outputs }}", form: { properties: { note: { type: string } } } }, timeout: 3d }',
  async run({ message, details, form, onReject }, task) {
    const schema: JsonSchema = { type: 'object', ...form }
    const fault = await formFault(schema)
    if (fault !== null) return failed('invalid_input', fault)
    const question = {
      kind: 'approval',
      message,
      form: schema,
      ...(details === undefined ? {} : { details }),
    } as const
    const heard = await heardOf(task.state, schema)
    if (heard.type === 'nothing') return ask(question)
    if (heard.type === 'misfit') return ask(again(question, heard.why))
    const { decision, values, by, at } = heard.answer
    if (decision === 'reject') return rejection(heard.answer, onReject)
    return succeeded({ approved: true, values, by, at: new Date(at).toISOString() })
  },
})
