/** The `Tokenize` operator: text to packed rows of token ids, as a trainer maps them into memory. */
import { defineOperator, OperatorFailure, parseSize, succeeded } from '../../plugins/api.ts'
import {
  closed,
  countsOutput,
  datasetOutput,
  datasetOutputs,
  openSource,
  type RecordsInput,
  recordsInput,
  type Source,
} from './records.ts'
import { outputFolder, place } from './records-place.ts'
import { streamRecords } from './records-stream.ts'
import { fieldSchema, requireText } from './text/field.ts'
import { chooseTokens, type TokensInput } from './tokenize-choose.ts'
import type { Packing } from './tokenize-pack.ts'
import { type Encode, TokenSink } from './tokenize-sink.ts'

/** The operator's input beside the shared options. */
interface TokenizeInput extends RecordsInput, TokensInput {
  readonly contextLength: number
  readonly packing: Packing
}

const count = { type: 'integer', minimum: 0 } as const
const { output, shardSize, input: source, ...shared } = recordsInput()

const token = { anyOf: [{ type: 'boolean' }, { type: 'string', minLength: 1 }] } as const

/** Each document becomes bos, its tokens, eos; documents are packed into rows of `contextLength` tokens. */
export const tokenize = defineOperator<TokenizeInput>({
  name: 'Tokenize',
  stage: 'data',
  summary:
    'Turns text or conversations into tokens, packed into rows of one length: binary shards and an index.',
  input: {
    type: 'object',
    properties: {
      input: source,
      field: fieldSchema,
      messages: {
        type: 'string',
        minLength: 1,
        description:
          'The field that holds a conversation, a list of { role, content }; `field` is not read then. Roles: system, ' +
          'developer, user, assistant, tool, function, ipython.',
      },
      chatTemplate: {
        type: 'string',
        minLength: 1,
        default: 'llama3',
        'x-uri': 'input',
        description:
          'How a conversation becomes text: `llama3`, the format that Llama 3 was published with, or the path of a Jinja ' +
          'template, by itself or in a tokenizer_config.json (.json). It alone places special tokens, bos and eos too.',
      },
      loss: {
        enum: ['all', 'assistant'],
        default: 'all',
        description:
          '`assistant`: the index says where in a row the assistant speaks, <|eot_id|> included: `loss: [[from, to], …]`. ' +
          'Only with `chatTemplate: llama3`.',
      },
      tokenizer: {
        type: 'string',
        minLength: 1,
        default: 'llama3',
        'x-uri': 'input',
        description:
          '`llama3`: 128,256 tokens, shipped with dagctl. Else the path of a Hugging Face tokenizer.json (BPE, WordPiece, ' +
          'Unigram).',
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
        ...token,
        default: true,
        description:
          'Begin each document with this token, by name. `true`: <|begin_of_text|> (128000), with `tokenizer: llama3` only.',
      },
      eos: {
        ...token,
        default: true,
        description:
          'End each document with this token, by name. `true`: <|end_of_text|> (128001), with `tokenizer: llama3` only.',
      },
      pad: {
        type: 'string',
        minLength: 1,
        description:
          'Fills rows. Default: <|finetune_right_pad_id|> (128004); of a tokenizer.json `eos`, or the id 0.',
      },
      specialTokens: {
        enum: ['text', 'parse'],
        default: 'text',
        description:
          'What `<|eot_id|>` and the like in a text or a message are: text, so that data cannot forge the end of a turn, or, ' +
          'for texts that a chat template has been applied to, the tokens.',
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
    const { encode, pad, about: chosen } = await chooseTokens(task, input)
    if (input.messages === undefined) await requireText(records, input.field)
    else await requireTokens(records, input.messages, encode)
    const { contextLength, packing } = input
    const about = { ...chosen, dtype: 'uint32', byteOrder: 'little', contextLength, packing }
    const outputs = await streamRecords(task, {
      source: records,
      identity: JSON.parse(JSON.stringify({ ...input, input: null, chosen })),
      checkpointEvery: input.checkpointEvery,
      maxLine: parseSize(input.maxLine),
      open: (folder) => {
        const flagged = input.loss === 'assistant'
        const format = { contextLength, packing, pad, flagged, shardBytes: parseSize(input.shardSize) }
        return new TokenSink(folder, format, encode)
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

/** Throws `invalid_input` where none of the first records is a conversation: a wrong name or template rather than bad data. */
async function requireTokens(source: Source, field: string, encode: Encode): Promise<void> {
  for await (const { entries } of source.read({ batch: 256 })) {
    const records = entries.map(({ record }) => record).filter((record) => record !== null)
    let why: string | undefined
    for (const record of records) {
      const tokens = encode(record)
      if (!('reason' in tokens)) return
      why ??= tokens.detail ?? tokens.reason
    }
    if (why === undefined) return
    const names = Object.keys(records[0] ?? {}).join(', ')
    throw new OperatorFailure(
      'invalid_input',
      `none of the first ${records.length} records has a conversation in \`${field}\`: ${why}; check \`messages\` and \`chatTemplate\` (fields there: ${names})`,
    )
  }
}
