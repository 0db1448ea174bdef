/** The `Split` operator: training, validation and test data, divided by a stable hash, free of evaluation texts. */
import {
  defineOperator,
  type JsonObject,
  OperatorFailure,
  succeeded,
  type TaskContext,
} from '../../plugins/api.ts'
import {
  closed,
  countsOutput,
  type DatasetInput,
  datasetInput,
  datasetOutput,
  keepIn,
  openSource,
  type RecordsInput,
  readRecords,
  recordsInput,
  reject,
  review,
  runRecords,
} from './records.ts'
import { chooser } from './split-choose.ts'
import { EvaluationRuns, fewestWords } from './split-contamination.ts'
import { fieldSchema, noText, requireText, textReader } from './text/field.ts'

const parts = ['train', 'validation', 'test'] as const

/** The operator's input beside the shared options. */
export interface SplitInput extends RecordsInput {
  readonly field: string
  readonly ratios: { readonly train: number; readonly validation: number; readonly test: number }
  readonly key?: string
  readonly seed: string
  readonly stratify?: string
  readonly evaluation?: { readonly input: DatasetInput; readonly fields: readonly string[] }
  readonly ngram: number
  readonly contaminated: 'reject' | 'review' | 'keep'
}

const share = { type: 'number', minimum: 0, maximum: 1 } as const
const fieldName = { type: 'string', minLength: 1 } as const
const count = { type: 'integer', minimum: 0 } as const

/** Writes three datasets. A record's place depends on its key alone (with `stratify`, also on its stratum's other records). */
export const split = defineOperator<SplitInput>({
  name: 'Split',
  stage: 'data',
  summary: 'Divides records into training, validation and test data, by a stable hash.',
  input: {
    type: 'object',
    properties: {
      ratios: {
        type: 'object',
        description: 'The shares; together 1.',
        properties: { train: share, validation: share, test: share },
        required: ['train', 'validation', 'test'],
        additionalProperties: false,
        default: { train: 0.9, validation: 0.05, test: 0.05 },
      },
      field: fieldSchema,
      key: {
        ...fieldName,
        description:
          'The field whose value decides; records with the same value stay together. Default: the text.',
      },
      seed: { type: 'string', default: '', description: 'Another seed divides in another way.' },
      stratify: {
        ...fieldName,
        description:
          'A field: the shares hold for each of its values. A record near a boundary may then move when data is added.',
      },
      evaluation: {
        type: 'object',
        description: 'Evaluation sets whose texts must not be trained on.',
        properties: {
          input: datasetInput,
          fields: {
            type: 'array',
            items: fieldName,
            minItems: 1,
            default: ['text'],
            description: 'Their fields that hold text.',
          },
        },
        required: ['input'],
        additionalProperties: false,
      },
      ngram: {
        type: 'integer',
        minimum: fewestWords,
        maximum: 100,
        default: 13,
        description:
          'A record is contaminated when it shares this many words in a row with an evaluation text.',
      },
      contaminated: {
        enum: ['reject', 'review', 'keep'],
        default: 'reject',
        description: 'What becomes of contaminated records of the training part; `keep` only counts them.',
      },
      ...recordsInput(),
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: closed({
    ...Object.fromEntries(parts.map((name) => [name, closed(datasetOutput)])),
    records: { ...count, description: 'Records in all three parts.' },
    ...countsOutput,
    contaminated: {
      ...count,
      description: 'Records of the training part that share a run of words with an evaluation text.',
    },
    evaluationTexts: { ...count, description: 'Evaluation texts that were looked for.' },
    evaluationTooShort: {
      ...count,
      description: `Evaluation texts of fewer than ${fewestWords} words, which were not.`,
    },
  }),
  effects: 'data',
  example: [
    'split:',
    '  uses: Split',
    '  with:',
    '    input: "{{ tasks.dedup.outputs.dataset }}"',
    '    ratios: { train: 0.98, validation: 0.01, test: 0.01 }',
    '    evaluation: { input: "evaluation/*.jsonl", fields: [question, answer] }',
  ].join('\n'),
  async run(input, task) {
    const shares = parts.map((name) => input.ratios[name])
    const total = shares.reduce((sum, part) => sum + part, 0)
    if (Math.abs(total - 1) > 1e-9) {
      throw new OperatorFailure(
        'invalid_input',
        `\`ratios\` add up to ${Number(total.toPrecision(6))}, not to 1`,
      )
    }
    const source = await openSource(task, input.input)
    if (!input.key || input.evaluation) await requireText(source, input.field)
    const runs = await readEvaluation(task, input)
    const choose = await chooser(task, input, source, shares)
    const seen = { contaminated: 0 }
    const text = textReader(input.field)
    const result = await runRecords(task, {
      options: input,
      source,
      parts,
      memory: { save: () => ({ ...seen }), restore: (state) => Object.assign(seen, state) },
      transform(record) {
        const part = choose(record)
        if (part === null) return reject(input.key ? 'no_key' : noText)
        const at = part === 0 ? runs.find(text(record) ?? '') : -1
        if (at < 0) return keepIn(part)
        seen.contaminated += 1
        if (input.contaminated === 'keep') return keepIn(part)
        const detail = `${input.ngram} words, or a whole evaluation text, from word ${at + 1} on`
        return input.contaminated === 'review'
          ? review('contaminated', detail)
          : reject('contaminated', detail)
      },
    })
    const { dataset: _, bytes: __, shards: ___, ...counts } = result.outputs
    return succeeded({
      ...Object.fromEntries(parts.map((name, i) => [name, result.parts[i] as JsonObject])),
      ...counts,
      ...seen,
      evaluationTexts: runs.texts - runs.tooShort,
      evaluationTooShort: runs.tooShort,
    })
  },
})

async function readEvaluation(task: TaskContext, { evaluation, ngram }: SplitInput): Promise<EvaluationRuns> {
  const runs = new EvaluationRuns(ngram)
  if (!evaluation) return runs
  const readers = evaluation.fields.map(textReader)
  for await (const { file, entries } of readRecords(task, evaluation.input)) {
    for (const { record, number, problem } of entries) {
      const texts = record ? readers.map((read) => read(record)).filter((text) => text !== null) : []
      if (texts.length === 0) {
        const what = problem ?? `none of the fields ${evaluation.fields.join(', ')}`
        throw new OperatorFailure(
          'invalid_input',
          `the evaluation set cannot be checked: ${file.name}, line ${number}: ${what}`,
        )
      }
      for (const text of texts) runs.add(text)
    }
  }
  return runs
}
