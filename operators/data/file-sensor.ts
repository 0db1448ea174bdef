/** The `FileSensor` operator: waits until files are there, whole. Sleeps between two looks and holds no slot meanwhile. */
import {
  defineOperator,
  durationSchema,
  type ObjectInfo,
  parseDuration,
  parseSize,
  sizeSchema,
  sleep,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'

/** What is waited for, and how a file shows that it is whole. */
interface SensorInput {
  readonly pattern: string
  readonly every: string
  readonly minAge: string
  readonly minSize: string | number
  readonly count: number
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
      every: { ...durationSchema, default: '30s', description: 'How long to sleep between two looks.' },
      minAge: {
        ...durationSchema,
        default: '0s',
        description: 'Files that changed less than this ago may still be written to, and are waited for.',
      },
      minSize: {
        ...sizeSchema,
        default: 0,
        description: 'Smaller files are not whole yet, and are waited for.',
      },
      count: {
        type: 'integer',
        minimum: 1,
        default: 1,
        description: 'How many files there must be, at least.',
      },
    },
    required: ['pattern'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      files: {
        type: 'array',
        description: 'The files, by name.',
        items: {
          type: 'object',
          properties: {
            uri: { type: 'string' },
            size: { type: 'integer', minimum: 0, description: 'Bytes.' },
            modified: { type: 'string', format: 'date-time' },
          },
          required: ['uri', 'size', 'modified'],
          additionalProperties: false,
        },
      },
      count: { type: 'integer', minimum: 1 },
      bytes: { type: 'integer', minimum: 0, description: 'Bytes of all files together.' },
    },
    required: ['files', 'count', 'bytes'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  sensor: true,
  example:
    'landed: { uses: FileSensor, with: { pattern: "inbox/*.jsonl.gz", minAge: 1m, every: 30s }, timeout: 6h }',
  async run(input, task) {
    const files = await task.objects.list(input.pattern)
    const waits = whyWait(files, input, task.clock.now())
    if (waits) return lookAgain(task, input, waits)
    return succeeded({
      files: files.map(({ uri, size, modified }) => ({
        uri,
        size,
        modified: new Date(modified).toISOString(),
      })),
      count: files.length,
      bytes: files.reduce((sum, { size }) => sum + size, 0),
    })
  },
})

/** Why it is too early, or null. One young or small file holds all back: they belong together. */
function whyWait(files: readonly ObjectInfo[], input: SensorInput, now: number): string | null {
  const missing = input.count - files.length
  if (missing > 0) return `${files.length} of ${input.count} files are there`
  const minAge = parseDuration(input.minAge)
  const minSize = parseSize(input.minSize)
  const young = files.find(({ modified }) => now - modified < minAge)
  if (young) return `${young.uri} changed less than ${input.minAge} ago`
  const small = files.find(({ size }) => size < minSize)
  return small ? `${small.uri} has ${small.size} bytes, less than ${input.minSize}` : null
}

/** Sleeps; says why when that has changed since the last look, so that a long wait is not a long log. */
function lookAgain(task: TaskContext, { pattern, every }: SensorInput, why: string) {
  if (task.state !== why) task.log.info(`waiting for ${pattern}: ${why}`)
  return sleep(task.clock.now() + parseDuration(every), why)
}
