/** The parts of input and output schemas that data operators share, and their TypeScript types. Data only. */
import { type JsonObject, type JsonSchema, sizeSchema } from '../../plugins/api.ts'

/** Data to read: a dataset folder, a glob, a file; the outputs of a task that made one; or a list of these. */
export type DatasetInput = DatasetPart | readonly DatasetPart[]
/** A dataset as a path or URI, or as an operator gave it. */
export type DatasetPart = string | { readonly dataset: string }

const part = {
  anyOf: [
    { type: 'string', minLength: 1 },
    {
      type: 'object',
      properties: { dataset: { type: 'string', minLength: 1 } },
      required: ['dataset'],
      additionalProperties: true,
    },
  ],
} as const

/** JSON Schema of a {@link DatasetInput}. */
export const datasetInput: JsonSchema = {
  description:
    'The records to read: a dataset folder, a folder or glob of .jsonl files (also .gz and .zst), one file, ' +
    'the outputs of a task that wrote a dataset, or a list of these.',
  'x-uri': 'input',
  anyOf: [...part.anyOf, { type: 'array', items: part, minItems: 1 }],
}

/** What every operator that turns records into records takes, beside its own options. */
export interface RecordsInput {
  readonly input: DatasetInput
  readonly output?: string
  readonly shardSize: string | number
  readonly maxLine: string | number
  readonly maxMalformed: number
  readonly maxRejected: number
  readonly checkpointEvery: number
}

/** The options for writing a dataset, without defaults: {@link recordsInput} and others spread them. */
const writing = {
  output: {
    type: 'string',
    minLength: 1,
    'x-uri': 'output',
    description: 'Folder for the result, replaced as a whole at the end. Default: a folder of this attempt.',
  },
  shardSize: {
    ...sizeSchema,
    default: '64MiB',
    description: 'A new shard begins when this many bytes would be passed.',
  },
  checkpointEvery: {
    type: 'integer',
    minimum: 1,
    default: 10_000,
    description:
      'Records between two checkpoints, at least; seldomer where saving would take over 5 % of the time.',
  },
} as const

const rate = { type: 'number', minimum: 0, maximum: 1 } as const

/** The properties of {@link RecordsInput} for an operator's input schema; `maxRejected` is its default for that gate. */
export function recordsInput(maxRejected = 1) {
  return {
    input: datasetInput,
    ...writing,
    maxLine: {
      ...sizeSchema,
      default: '32MiB',
      description: 'Longer lines are rejected, and never held in memory.',
    },
    maxMalformed: {
      ...rate,
      default: 0.01,
      description:
        'Gate: the share of records that cannot be read (bad JSON, bad UTF-8, too long) above which the task fails.',
    },
    maxRejected: {
      ...rate,
      default: maxRejected,
      description: 'Gate: the share of readable records rejected by this task above which it fails.',
    },
  } as const
}

/** One file of a dataset. */
export interface Shard {
  readonly name: string
  readonly records: number
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/** A dataset as outputs name it. */
export interface DatasetOutputs extends JsonObject {
  readonly dataset: string
  readonly records: number
  readonly bytes: number
  readonly shards: readonly (JsonObject & Shard & { readonly uri: string })[]
}

/** How many records became what. */
export interface CountsOutputs extends JsonObject {
  readonly recordsIn: number
  readonly malformed: number
  readonly rejected: number
  readonly reviewed: number
  readonly reasons: { readonly [reason: string]: number }
  readonly quarantine: string | null
  readonly review: string | null
}

/** What every operator that turns records into records gives back. */
export type RecordsOutputs = DatasetOutputs & CountsOutputs

const count = { type: 'integer', minimum: 0 } as const
const uri = { type: 'string', minLength: 1 } as const

/** The properties of {@link DatasetOutputs}; all are always there. */
export const datasetOutput = {
  dataset: { ...uri, 'x-uri': 'output', description: 'URI of the dataset folder.' },
  records: { ...count, description: 'Records in the dataset.' },
  bytes: { ...count, description: 'Bytes of its shards together.' },
  shards: {
    type: 'array',
    description: 'Its files, in order.',
    items: {
      type: 'object',
      properties: { name: { type: 'string' }, uri, records: count, bytes: count, sha256: { type: 'string' } },
      required: ['name', 'uri', 'records', 'bytes', 'sha256'],
      additionalProperties: false,
    },
  },
} as const

/** The properties of {@link CountsOutputs}; all are always there. */
export const countsOutput = {
  recordsIn: { ...count, description: 'Records read, the malformed ones among them.' },
  malformed: { ...count, description: 'Records that could not be read.' },
  rejected: { ...count, description: 'Records not kept, the malformed ones among them.' },
  reviewed: { ...count, description: 'Records set aside for a person.' },
  reasons: {
    type: 'object',
    description: 'How many records were rejected or set aside, by reason.',
    additionalProperties: count,
  },
  quarantine: {
    type: ['string', 'null'],
    'x-uri': 'output',
    description: 'URI of the dataset of rejected records, with reasons; null where there are none.',
  },
  review: {
    type: ['string', 'null'],
    'x-uri': 'output',
    description: 'URI of the dataset of records for a person; null where there are none.',
  },
} as const

/** Makes a closed object schema in which every property is required. */
export function closed(properties: { readonly [name: string]: unknown }): JsonSchema {
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false }
}

/** Output schema of an operator that turns records into records; `more` are its own outputs, all required. */
export function recordsOutput(more: { readonly [name: string]: unknown } = {}): JsonSchema {
  return closed({ ...datasetOutput, ...countsOutput, ...more })
}
