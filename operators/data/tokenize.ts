/** The `Tokenize` operator: text to packed rows of token ids, as a trainer maps them into memory. */
import { defineOperator, parseSize, succeeded } from '../../plugins/api.ts'
import {
  closed,
  countsOutput,
  datasetOutput,
  datasetOutputs,
  openSource,
  type RecordsInput,
  recordsInput,
} from './records.ts'
import { outputFolder, place } from './records-place.ts'
import { streamRecords } from './records-stream.ts'
import { fieldSchema, noText, requireText, textReader } from './text/field.ts'
import { loadLlama3, type Tokenizer } from './tokenize-llama3.ts'
import type { Packing } from './tokenize-pack.ts'
import { type Encode, TokenSink } from './tokenize-sink.ts'

/** The operator's input beside the shared options. */
interface TokenizeInput extends RecordsInput {
  readonly field: string
  readonly tokenizer: 'llama3'
  readonly contextLength: number
  readonly packing: Packing
  readonly bos: boolean
  readonly eos: boolean
  readonly specialTokens: 'text' | 'parse'
}

const count = { type: 'integer', minimum: 0 } as const
const { output, shardSize, input: source, ...shared } = recordsInput()

/** Each document becomes bos, its tokens, eos; documents are packed into rows of `contextLength` tokens. */
export const tokenize = defineOperator<TokenizeInput>({
  name: 'Tokenize',
  stage: 'data',
  summary: 'Turns text into Llama 3 tokens, packed into rows of one length: binary shards and an index.',
  input: {
    type: 'object',
    properties: {
      input: source,
      field: fieldSchema,
      tokenizer: {
        enum: ['llama3'],
        default: 'llama3',
        description: 'The vocabulary: 128,256 tokens, shipped with dagctl. Others are not supported yet.',
      },
      contextLength: {
        type: 'integer',
        minimum: 8,
        maximum: 1_048_576,
        default: 8192,
        description: 'Tokens in a row: what the model is trained on at once.',
      },
      packing: {
        enum: ['concat', 'best-fit', 'none'],
        default: 'concat',
        description:
          '`concat`: documents behind each other, cut at the end of a row, no padding. `best-fit`: only documents longer than ' +
          'a row are cut, little padding. `none`: each document begins a row.',
      },
      bos: {
        type: 'boolean',
        default: true,
        description: 'Begin each document with <|begin_of_text|> (128000).',
      },
      eos: {
        type: 'boolean',
        default: true,
        description: 'End each document with <|end_of_text|> (128001).',
      },
      specialTokens: {
        enum: ['text', 'parse'],
        default: 'text',
        description:
          'What `<|eot_id|>` and the like in a text are: text, so that data cannot forge the end of a turn, or, for texts ' +
          'that a chat template has been applied to, the tokens.',
      },
      output,
      shardSize,
      ...shared,
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: closed({
    ...datasetOutput,
    records: { ...count, description: 'Rows, the same as `sequences`.' },
    sequences: { ...count, description: 'Rows of `contextLength` tokens.' },
    tokens: { ...count, description: 'Tokens in all rows, without padding.' },
    documents: { ...count, description: 'Documents that were packed.' },
    padding: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      description: 'The share of all rows that is padding.',
    },
    contextLength: { ...count, description: 'As given.' },
    ...countsOutput,
  }),
  effects: 'data',
  example:
    'pack: { uses: Tokenize, with: { input: "{{ tasks.split.outputs.train.dataset }}", contextLength: 8192 } }',
  async run(input, task) {
    const records = await openSource(task, input.input)
    const target = await outputFolder(
      task,
      input.output,
      records.files.map(({ uri }) => uri),
    )
    await requireText(records, input.field)
    const tokenizer = await loadLlama3()
    const { contextLength, packing } = input
    const { bos, eos, pad, vocabulary } = tokenizer
    const about = {
      tokenizer: input.tokenizer,
      vocabulary,
      dtype: 'uint32',
      byteOrder: 'little',
      contextLength,
      packing,
      bos,
      eos,
      pad,
    }
    const outputs = await streamRecords(task, {
      source: records,
      identity: JSON.parse(JSON.stringify({ ...input, input: null })),
      checkpointEvery: input.checkpointEvery,
      maxLine: parseSize(input.maxLine),
      open: (folder) => {
        const format = { contextLength, packing, pad, shardBytes: parseSize(input.shardSize) }
        return new TokenSink(folder, format, encoder(tokenizer, input))
      },
      finish: async (sink, folder) => {
        const { shards, sequences, tokens, documents } = await sink.finish(about)
        const counts = await sink.aside.finish(target)
        await sink.aside.checkGates(task, input)
        await place(folder, target)
        const all = sequences * contextLength
        const padding = all === 0 ? 0 : (all - tokens) / all
        return {
          ...datasetOutputs(target, shards),
          sequences,
          tokens,
          documents,
          padding,
          contextLength,
          ...counts,
        }
      },
    })
    task.metric('tokens', outputs.tokens)
    return succeeded(outputs)
  },
})

function encoder(tokenizer: Tokenizer, { field, bos, eos, specialTokens }: TokenizeInput): Encode {
  const read = textReader(field)
  return (record) => {
    const text = read(record)
    if (!text) return { reason: text === null ? noText : 'empty_text' }
    const tokens = tokenizer.encode(text, specialTokens === 'parse')
    if (bos) tokens.unshift(tokenizer.bos)
    if (eos) tokens.push(tokenizer.eos)
    return tokens
  }
}
