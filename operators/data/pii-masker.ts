/** The `PIIMasker` operator: finds personal data in texts and writes something else in its place. */
import { createHmac } from 'node:crypto'
import { defineOperator, OperatorFailure, succeeded } from '../../plugins/api.ts'
import { type CustomPattern, PatternError } from './pii/custom-patterns.ts'
import { createDetect, DetectError, piiTypes } from './pii/detect.ts'
import { requireFields, rewriteField } from './pii/fields.ts'
import { defaultRegions } from './pii/phone-plans.ts'
import { threshold } from './pii/span.ts'
import { type MaskOptions, maskWith, needsKey, type StrategyName, strategyNames } from './pii/strategies.ts'
import {
  change,
  keep,
  openSource,
  type RecordsInput,
  recordsInput,
  recordsOutput,
  reject,
  runRecords,
} from './records.ts'
import { noText } from './text/field.ts'

interface Input extends RecordsInput {
  readonly fields: string | readonly string[]
  readonly types?: readonly string[]
  readonly strategy: StrategyName
  readonly strategies: { readonly [type: string]: StrategyName }
  readonly key?: string
  readonly keepLast: number
  readonly patterns: readonly CustomPattern[]
  readonly phoneRegions: readonly string[]
  readonly minScore: number
}

const notByDefault = piiTypes.flatMap(({ name, byDefault }) => (byDefault ? [] : [name])).join(', ')
const typeName = { type: 'string', pattern: '^[A-Z][A-Z0-9_]{0,63}$' } as const
const strategy = { enum: strategyNames } as const

/** Finds personal data in fields of text, and masks it. */
export const piiMasker = defineOperator<Input>({
  name: 'PIIMasker',
  stage: 'data',
  summary:
    'Masks e-mail addresses, telephone and card numbers, accounts, document numbers and other personal data.',
  input: {
    type: 'object',
    properties: {
      ...recordsInput(),
      fields: {
        description:
          'The fields whose texts are masked, all texts below them included; a dot leads into an object, and into each object of a list (`messages.content`).',
        default: 'text',
        anyOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1, uniqueItems: true },
        ],
      },
      types: {
        type: 'array',
        items: typeName,
        minItems: 1,
        uniqueItems: true,
        description: `The types to mask: of \`patterns\`, or ${piiTypes.map(({ name }) => name).join(', ')}. Default: all but ${notByDefault}.`,
      },
      strategy: {
        ...strategy,
        default: 'replace',
        description:
          '`replace` writes the type (`<EMAIL_ADDRESS>`), `mask` stars, `hash` the type and a keyed digest, `pseudonymize` a value of the same form that is always the same for the same key, `remove` nothing.',
      },
      strategies: {
        type: 'object',
        propertyNames: { pattern: typeName.pattern },
        additionalProperties: strategy,
        default: {},
        description: 'Other strategies for single types.',
      },
      key: {
        type: 'string',
        minLength: 16,
        'x-secret': true,
        description:
          'The key for `hash` and `pseudonymize`, at least 16 characters, from a secret. Who has it can test guesses.',
      },
      keepLast: {
        type: 'integer',
        minimum: 0,
        maximum: 8,
        default: 0,
        description:
          'How many letters and digits at the end `mask` leaves readable, but never more than a third of them.',
      },
      patterns: {
        type: 'array',
        default: [],
        items: {
          type: 'object',
          properties: { name: typeName, pattern: { type: 'string', minLength: 1, maxLength: 2000 } },
          required: ['name', 'pattern'],
          additionalProperties: false,
        },
        description:
          'Types of your own: a name and a regular expression in RE2 syntax, whose time is linear. A group `(?P<value>...)` narrows what is masked.',
      },
      phoneRegions: {
        type: 'array',
        items: { type: 'string', pattern: '^[A-Z]{2}$' },
        uniqueItems: true,
        default: [...defaultRegions],
        description: 'Regions (ISO 3166) whose telephone numbers are known without a country code.',
      },
      minScore: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: threshold,
        description:
          'How sure a match must be. 0.5: a checksum, a form of its own, or a word such as "passport" close by; 0.3: also rarer forms alone; 0: also any number of the right length.',
      },
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: recordsOutput({
    counts: {
      type: 'object',
      description: 'How many values of each type were masked.',
      additionalProperties: { type: 'integer', minimum: 0 },
    },
    maskedRecords: { type: 'integer', minimum: 0, description: 'Records in which something was masked.' },
  }),
  example:
    'mask: { uses: PIIMasker, with: { input: "{{ tasks.english.outputs }}", strategies: { CREDIT_CARD: mask }, keepLast: 4 } }',
  async run(input, task) {
    const rewrite = await masker(input)
    const fields = typeof input.fields === 'string' ? [input.fields] : input.fields
    const source = await openSource(task, input.input)
    await requireFields(source, fields)
    let counts = new Map<string, number>()
    let maskedRecords = 0
    const { outputs } = await runRecords(task, {
      options: withoutKey(input),
      source,
      memory: {
        save: () => ({ counts: Object.fromEntries(counts), maskedRecords }),
        restore: (state) => {
          const saved = state as { counts: { [type: string]: number }; maskedRecords: number }
          counts = new Map(Object.entries(saved.counts))
          maskedRecords = saved.maskedRecords
        },
      },
      transform(record) {
        let masked = record
        let there = false
        for (const field of fields) {
          const result = rewriteField(masked, field, (text) => rewrite(text, counts))
          masked = result.record
          there ||= result.there
        }
        if (!there)
          return reject(noText, `none of ${fields.map((field) => `\`${field}\``).join(', ')} is there`)
        if (masked === record) return keep
        maskedRecords += 1
        return change(masked)
      },
    })
    return succeeded({ ...outputs, counts: sorted(counts), maskedRecords })
  },
})

/** A function that masks a text and counts what it masked. Throws `invalid_input` for options that cannot be met. */
async function masker(input: Input): Promise<(text: string, counts: Map<string, number>) => string> {
  const { strategy, strategies, keepLast } = input
  if (needsKey(input) && input.key === undefined) {
    throw new OperatorFailure(
      'invalid_input',
      'the strategies `hash` and `pseudonymize` need `key`; give it from a secret',
    )
  }
  try {
    const detect = await createDetect({
      ...(input.types ? { types: input.types } : {}),
      patterns: input.patterns,
      phoneRegions: input.phoneRegions,
      threshold: input.minScore,
    })
    const mask = maskWith({ strategy, strategies, keepLast, key: input.key } satisfies MaskOptions)
    return (text, counts) => {
      const spans = detect(text)
      for (const { type } of spans) counts.set(type, (counts.get(type) ?? 0) + 1)
      return spans.length === 0 ? text : mask(text, spans)
    }
  } catch (error) {
    if (!(error instanceof DetectError || error instanceof PatternError)) throw error
    throw new OperatorFailure('invalid_input', error.message, { cause: error })
  }
}

/** The input with a digest in place of the key: checkpoints tell whether the key is the same, and do not hold it. */
function withoutKey(input: Input): Input {
  if (input.key === undefined) return input
  return { ...input, key: createHmac('sha256', input.key).update('PIIMasker checkpoint').digest('hex') }
}

function sorted(counts: ReadonlyMap<string, number>): { [type: string]: number } {
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)))
}
