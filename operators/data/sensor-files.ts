/** When files (or objects) are whole, and how sensors tell of them. Knows nothing of where they lie. */
import {
  durationSchema,
  type JsonObject,
  type JsonSchema,
  type ObjectInfo,
  parseDuration,
  parseSize,
  sizeSchema,
} from '../../plugins/api.ts'
import type { NotYet } from './sensor.ts'

/** How files show that they are whole. */
export interface Whole {
  readonly minAge: string
  readonly minSize: string | number
  readonly count: number
}

/** The part of an input schema that says when files are whole. @param what `Files` or `Objects` */
export function wholeSchema(what: string): { readonly [name: string]: JsonSchema } {
  return {
    minAge: {
      ...durationSchema,
      default: '0s',
      description: `${what} that changed less than this ago may still be written to, and are waited for.`,
    },
    minSize: {
      ...sizeSchema,
      default: 0,
      description: `Smaller ${what.toLowerCase()} are not whole yet, and are waited for.`,
    },
    count: {
      type: 'integer',
      minimum: 1,
      default: 1,
      description: `How many ${what.toLowerCase()} there must be, at least.`,
    },
  }
}

/** JSON Schema of {@link filesOf}. */
export const filesOutput: JsonSchema = {
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
}

/** Files as outputs of a sensor. */
export function filesOf(files: readonly ObjectInfo[]): JsonObject {
  return {
    files: files.map(({ uri, size, modified }) => ({
      uri,
      size,
      modified: new Date(modified).toISOString(),
    })),
    count: files.length,
    bytes: files.reduce((sum, { size }) => sum + size, 0),
  }
}

/** Why it is too early, or null. One young or small file holds all back: they belong together. */
export function whyWait(
  files: readonly ObjectInfo[],
  input: Whole,
  now: number,
): Pick<NotYet, 'why' | 'notBefore'> | null {
  const missing = input.count - files.length
  if (missing > 0) return { why: `${files.length} of ${input.count} files are there` }
  const minAge = parseDuration(input.minAge)
  const minSize = parseSize(input.minSize)
  const small = files.find(({ size }) => size < minSize)
  if (small) return { why: `${small.uri} has ${small.size} bytes, less than ${input.minSize}` }
  const young = files.find(({ modified }) => now - modified < minAge)
  if (!young) return null
  const newest = files.reduce((latest, { modified }) => Math.max(latest, modified), 0)
  return {
    why: `${young.uri} changed less than ${input.minAge} ago`,
    notBefore: newest + minAge,
  }
}
