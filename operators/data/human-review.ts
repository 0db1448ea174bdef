/**
 * The `HumanReview` operator: shows a person a sample of records, and takes the verdict. It stands among the data operators
 * because it reads records as they do; people find it under control.
 */
import {
  again,
  ask,
  defineOperator,
  failed,
  formFault,
  formSchema,
  heardOf,
  type JsonObject,
  type JsonSchema,
  rejection,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'
import { type DatasetInput, datasetInput } from './records-schema.ts'
import { sampleOf } from './review-sample.ts'

/** What is looked at, and what is asked. */
interface HumanReviewInput {
  readonly input: DatasetInput
  readonly sample: number
  readonly seed: number
  readonly message: string
  readonly form?: JsonObject
  readonly onReject: 'fail' | 'skip' | 'continue'
}

const defaultForm: JsonSchema = {
  type: 'object',
  properties: {
    verdict: { type: 'string', enum: ['accept', 'reject'] },
    notes: { type: 'string' },
  },
  required: ['verdict'],
  additionalProperties: false,
}

/** Succeeds with the verdict of a person who saw a sample. */
export const humanReview = defineOperator<HumanReviewInput>({
  name: 'HumanReview',
  stage: 'control',
  summary: 'Shows a person a sample of records and waits for the verdict, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      input: datasetInput,
      sample: {
        type: 'integer',
        minimum: 1,
        maximum: 200,
        default: 10,
        description: 'How many records are shown, drawn evenly; long ones are cut, 64 KiB are shown at most.',
      },
      seed: { type: 'integer', minimum: 0, default: 0, description: 'Another seed draws other records.' },
      message: { type: 'string', minLength: 1, default: 'Are these records as they should be?' },
      form: {
        ...formSchema,
        description:
          'JSON Schema of what the person enters, an object. Default: `verdict` (accept or reject) and `notes`.',
      },
      onReject: {
        type: 'string',
        enum: ['fail', 'skip', 'continue'],
        default: 'fail',
        description:
          'What a rejection does: the task fails (kind `user`), is skipped, or succeeds with the verdict `reject` for `gate` and `when` to heed.',
      },
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      verdict: { type: 'string', enum: ['accept', 'reject'] },
      records: { type: 'integer', minimum: 0, description: 'How many there are in all.' },
      shown: { type: 'integer', minimum: 0 },
      values: { type: 'object', additionalProperties: true, description: 'What was entered in the form.' },
      by: { type: 'string' },
      at: { type: 'string', format: 'date-time' },
    },
    required: ['verdict', 'records', 'shown', 'values', 'by', 'at'],
    additionalProperties: false,
  },
  runtimes: ['process', 'inline'],
  example:
    'look: { uses: HumanReview, with: { input: "{{ tasks.mask.outputs }}", sample: 20 }, timeout: 7d }',
  async run(input, task) {
    const form: JsonSchema = input.form === undefined ? defaultForm : { type: 'object', ...input.form }
    const fault = await formFault(form)
    if (fault !== null) return failed('invalid_input', fault)
    const heard = await heardOf(task.state, form)
    if (heard.type === 'nothing') return question(input, form, task, null)
    if (heard.type === 'misfit') return question(input, form, task, heard.why)
    const { decision, values, by, at } = heard.answer
    const verdict = decision === 'reject' || values.verdict === 'reject' ? 'reject' : 'accept'
    if (verdict === 'reject' && input.onReject !== 'continue') return rejection(heard.answer, input.onReject)
    const { records, shown } = task.state as { readonly records: number; readonly shown: number }
    return succeeded({ verdict, records, shown, values, by, at: new Date(at).toISOString() })
  },
})

/** @param why what was wrong with the last answer */
async function question(input: HumanReviewInput, form: JsonSchema, task: TaskContext, why: string | null) {
  const { records, sample } = await sampleOf(task, input.input, input.sample, input.seed)
  if (records === 0) return failed('invalid_input', 'there is no record to look at')
  const details = { records, shown: sample.length, sample }
  const asked = { kind: 'review', message: input.message, form, details } as const
  return ask(why === null ? asked : again(asked, why), { records, shown: sample.length })
}
