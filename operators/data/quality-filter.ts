/** The `QualityFilter` operator: keeps the records whose text passes published quality rules. */
import { defineOperator, succeeded } from '../../plugins/api.ts'
import { c4Defaults } from './quality/c4.ts'
import { fineWebDefaults } from './quality/fineweb.ts'
import { gopherQualityDefaults } from './quality/gopher-quality.ts'
import { gopherRepetitionDefaults } from './quality/gopher-repetition.ts'
import { judgeBy, type Limits, type RuleSet } from './quality/rules.ts'
import {
  keep,
  openSource,
  type RecordsInput,
  recordsInput,
  recordsOutput,
  reject,
  runRecords,
} from './records.ts'
import { fieldSchema, noText, requireText, textReader } from './text/field.ts'

interface Input extends RecordsInput, Limits {
  readonly field: string
  readonly rules: readonly RuleSet[]
}

/** The schema of a rule set's thresholds, from its defaults: their names, kinds and published values. */
function limitsSchema(description: string, defaults: object) {
  const properties = Object.entries(defaults).map(([name, value]) => [
    name,
    { ...kindOf(name, value), default: value },
  ])
  return {
    type: 'object',
    description,
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  }
}

function kindOf(name: string, value: unknown): object {
  if (typeof value === 'boolean') return { type: 'boolean' }
  if (typeof value === 'number') return { type: 'number', minimum: 0 }
  if (!name.endsWith('NGrams')) return { type: 'array', items: { type: 'string', minLength: 1 } }
  const pair = [
    { type: 'integer', minimum: 1, maximum: 100 },
    { type: 'number', minimum: 0 },
  ]
  return { type: 'array', items: { type: 'array', prefixItems: pair, items: false, minItems: 2 } }
}

/** Keeps the records whose text passes rules of quality. */
export const qualityFilter = defineOperator<Input>({
  name: 'QualityFilter',
  stage: 'data',
  summary: 'Keeps records whose text passes the Gopher, C4 and FineWeb quality rules.',
  input: {
    type: 'object',
    properties: {
      ...recordsInput(),
      field: fieldSchema,
      rules: {
        type: 'array',
        items: { enum: ['gopher_quality', 'gopher_repetition', 'c4', 'fineweb'] },
        minItems: 1,
        uniqueItems: true,
        default: ['gopher_quality', 'gopher_repetition', 'fineweb'],
        description:
          'Rule sets, in the order in which they are asked; the first broken rule is the reason. `c4` is for web pages with a ' +
          'paragraph or sentence per line. The thresholds are made for English.',
      },
      gopherQuality: limitsSchema(
        'Thresholds of `gopher_quality` (arXiv:2112.11446, A.1.1).',
        gopherQualityDefaults,
      ),
      gopherRepetition: limitsSchema(
        'Thresholds of `gopher_repetition` (arXiv:2112.11446, table A1).',
        gopherRepetitionDefaults,
      ),
      c4: limitsSchema('Thresholds of `c4` (JMLR 21:140, section 2.2).', c4Defaults),
      fineweb: limitsSchema('Thresholds of `fineweb` (arXiv:2406.17557, section 3.6).', fineWebDefaults),
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: recordsOutput(),
  example:
    'quality: { uses: QualityFilter, with: { input: "{{ tasks.english.outputs }}", gopherQuality: { minDocWords: 20 } } }',
  async run(input, task) {
    const source = await openSource(task, input.input)
    await requireText(source, input.field)
    const text = textReader(input.field)
    const judge = judgeBy(input.rules, input)
    const { outputs } = await runRecords(task, {
      options: input,
      source,
      transform(record) {
        const found = text(record)
        if (found === null) return reject(noText, `\`${input.field}\` is missing or no text`)
        const reason = judge(found)
        return reason === null ? keep : reject(reason)
      },
    })
    return succeeded(outputs)
  },
})
