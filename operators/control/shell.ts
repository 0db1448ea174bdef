/** The `Shell` operator: a command, run by /bin/sh in the pipeline's folder. How it ended is classified by the runtime. */
import { defineOperator } from '../../plugins/api.ts'

/** Runs `command` with /bin/sh; outputs are the JSON that it writes to $DAGCTL_OUTPUT. */
export const shell = defineOperator<{ command: string }>({
  name: 'Shell',
  stage: 'control',
  summary: 'Runs a shell command; its outputs are the JSON object that it writes to $DAGCTL_OUTPUT.',
  input: {
    type: 'object',
    properties: {
      command: {
        type: 'string',
        minLength: 1,
        'x-shell': true,
        description:
          'For /bin/sh -c, in the folder of the pipeline file. Templated values are quoted for the shell.',
      },
    },
    required: ['command'],
    additionalProperties: false,
  },
  output: { type: 'object', additionalProperties: true },
  effects: 'data',
  example: 'extract: { run: "./extract.sh {{ run.interval.start }}" }',
  command: ({ command }) => ['/bin/sh', '-c', command],
})
