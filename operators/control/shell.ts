/** The `Shell` operator: a command, run by /bin/sh in the pipeline's folder. How it ended is classified by the runtime. */
import { defineOperator } from '../../plugins/api.ts'
import { plainWords } from './plain-words.ts'

/**
 * Runs `command` with /bin/sh; outputs are the JSON that it writes to $DAGCTL_OUTPUT. Whatever else its `with` holds is in
 * the JSON at $DAGCTL_INPUT, so that a recovery can change it.
 */
export const shell = defineOperator<{ command: string }>({
  name: 'Shell',
  stage: 'control',
  summary:
    'Runs a shell command; its outputs are the JSON object that it writes to $DAGCTL_OUTPUT, its further inputs are in $DAGCTL_INPUT.',
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
    // What else stands in `with` is the command's: it reads it from $DAGCTL_INPUT, and `env` may name it.
    additionalProperties: true,
  },
  output: { type: 'object', additionalProperties: true },
  effects: 'data',
  example: 'extract: { run: "./extract.sh {{ run.interval.start }}" }',
  // As make does it: a shell that would only start a program costs more than the start.
  command: ({ command }) => (hasFunctions() ? null : plainWords(command)) ?? ['/bin/sh', '-c', command],
})

/** Whether the environment carries functions of bash, which a /bin/sh that is bash would run by their names. */
function hasFunctions(): boolean {
  return Object.keys(process.env).some((name) => name.startsWith('BASH_FUNC_'))
}
