/** The `FileSensor` operator: waits until files are there, whole. Sleeps between two looks and holds no slot meanwhile. */
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { defineOperator, succeeded, type TaskContext } from '../../plugins/api.ts'
import { everySchema, lookAgain } from './sensor.ts'
import { filesOf, filesOutput, type Whole, wholeSchema, whyWait } from './sensor-files.ts'

/** What is waited for, and how a file shows that it is whole. */
interface SensorInput extends Whole {
  readonly pattern: string
  readonly every: string
}

/** Succeeds when at least `count` files match and every file that matches is old and large enough. */
export const fileSensor = defineOperator<SensorInput>({
  name: 'FileSensor',
  stage: 'data',
  summary: 'Waits for files to appear; sleeps between two looks, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      pattern: {
        type: 'string',
        minLength: 1,
        'x-uri': 'input',
        description: 'A file, a folder or a glob. For a `_SUCCESS` marker name the marker itself.',
      },
      every: {
        ...everySchema,
        description:
          'How long to sleep between two looks. Where the system tells of changes in the folder, they wake it before.',
      },
      ...wholeSchema('Files'),
    },
    required: ['pattern'],
    additionalProperties: false,
  },
  output: filesOutput,
  runtimes: ['inline', 'process'],
  sensor: true,
  example:
    'landed: { uses: FileSensor, with: { pattern: "inbox/*.jsonl.gz", minAge: 1m, every: 30s }, timeout: 6h }',
  async run(input, task) {
    const files = await task.objects.list(input.pattern)
    const waits = whyWait(files, input, task.clock.now())
    if (waits) {
      // While only time is missing, every byte that is written would wake it for nothing.
      const watched = waits.notBefore === undefined ? await watchedPath(task, input.pattern) : null
      const on = watched === null ? {} : { on: { paths: [watched] } }
      return lookAgain(task, { what: input.pattern, every: input.every, ...waits, ...on })
    }
    return succeeded(filesOf(files))
  },
})

/**
 * The folder in which the pattern begins to vary, or the path that is still to be made in a folder that is there; null
 * where there is no such folder. Never more than one: each sleeping sensor keeps it, and each is a watch of the system.
 */
async function watchedPath(task: TaskContext, pattern: string): Promise<string | null> {
  const path = task.objects.resolve(pattern)
  const wild = path.search(/[*?[{]/)
  const fixed = wild < 0 ? path : dirname(`${path.slice(0, wild)}x`)
  for (const folder of [fixed, dirname(fixed)]) {
    const found = await stat(folder).catch(() => null)
    if (found?.isDirectory()) return fixed
  }
  return null
}
