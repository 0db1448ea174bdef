/** The `Notify` operator: says something to people. Knows one channel so far, the task's log. */
import { defineOperator, succeeded } from '../../plugins/api.ts'

/** What is said, and where. */
interface NotifyInput {
  readonly text: string
  readonly channel: string
}

/** Writes `text` to the channel; every line of it is a line of the log. */
export const notify = defineOperator<NotifyInput>({
  name: 'Notify',
  stage: 'control',
  summary: 'Sends a message to people; so far to the console.',
  input: {
    type: 'object',
    properties: {
      text: {
        type: 'string',
        minLength: 1,
        description: 'The message; templates make it say what happened.',
      },
      channel: {
        type: 'string',
        enum: ['console'],
        default: 'console',
        description:
          'Where to: `console` is the terminal of `dagctl run`, and the log of the task. No other channel is supported yet.',
      },
    },
    required: ['text'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: { channel: { type: 'string' }, text: { type: 'string' } },
    required: ['channel', 'text'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  example: 'tell: { uses: Notify, with: { text: "{{ tasks.pack.outputs.sequences }} sequences are ready" } }',
  run({ text, channel }, task) {
    task.log.info(text, { channel })
    return succeeded({ channel, text })
  },
})
