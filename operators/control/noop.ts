/** The `Noop` operator: does nothing, at once. A joint in a graph, and what the engine is measured with. */
import { defineOperator, succeeded } from '../../plugins/api.ts'

/** Does nothing and succeeds; its outputs are its input's `outputs`. */
export const noop = defineOperator<{ outputs?: { [key: string]: never } }>({
  name: 'Noop',
  stage: 'control',
  summary: 'Does nothing and succeeds; its outputs are the `outputs` that it is given.',
  input: {
    type: 'object',
    properties: { outputs: { type: 'object', description: 'Handed on as the outputs of the task.' } },
    additionalProperties: false,
  },
  output: { type: 'object', additionalProperties: true },
  runtimes: ['inline', 'process'],
  example: 'joint: { uses: Noop, needs: [left, right] }',
  run: ({ outputs }) => succeeded(outputs ?? {}),
})
