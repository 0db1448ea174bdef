/** The `LanguageFilter` operator: keeps the records whose text is in one of the wanted languages. */
import { defineOperator, OperatorFailure, succeeded } from '../../plugins/api.ts'
import { type Detection, loadDetector } from './language-filter-detect.ts'
import {
  keep,
  openSource,
  type RecordsInput,
  recordsInput,
  recordsOutput,
  reject,
  review,
  runRecords,
  type Verdict,
} from './records.ts'
import { fieldSchema, noText, requireText, textReader } from './text/field.ts'

interface Input extends RecordsInput {
  readonly field: string
  readonly languages: readonly string[]
  readonly minScore: number
  readonly undetermined: 'review' | 'reject' | 'keep'
}

/** Codes that mean a language of the detector, where Unicode's own aliases (CLDR) do not lead there. */
const aliases: { readonly [code: string]: string } = {
  fil: 'tl',
  nb: 'no',
  nn: 'no',
  zlm: 'ms',
  zsm: 'ms',
  prs: 'fa',
}

/** ISO 639-1 of a code in 639-1, 639-2 or 639-3, with or without region (`eng`, `en-GB`: `en`); null where it is no code. */
export function languageCode(code: string): string | null {
  try {
    const base = new Intl.Locale(code).language
    return aliases[code.toLowerCase()] ?? aliases[base] ?? base
  } catch {
    return null
  }
}

/** Keeps the records in some languages. */
export const languageFilter = defineOperator<Input>({
  name: 'LanguageFilter',
  stage: 'data',
  summary: 'Keeps records whose text is in one of the wanted languages.',
  input: {
    type: 'object',
    properties: {
      ...recordsInput(),
      field: fieldSchema,
      languages: {
        type: 'array',
        items: { type: 'string', minLength: 2 },
        minItems: 1,
        default: ['en'],
        description: 'Languages to keep, as ISO 639 codes (`en`, `eng`, `en-GB` are the same here).',
      },
      minScore: {
        type: 'number',
        minimum: 0,
        maximum: 1,
        default: 0,
        description:
          'Texts that fit their language less well than this are undetermined. Most good texts have 0.7 to 0.9.',
      },
      undetermined: {
        enum: ['review', 'reject', 'keep'],
        default: 'review',
        description:
          'What becomes of texts whose language is not sure: too short, mixed, or in a language that is not known.',
      },
    },
    required: ['input'],
    additionalProperties: false,
  },
  output: recordsOutput({
    languages: {
      type: 'object',
      description: 'How many records are in which language, the sure ones only.',
      additionalProperties: { type: 'integer', minimum: 0 },
    },
  }),
  example:
    'english: { uses: LanguageFilter, with: { input: "{{ tasks.ingest.outputs }}", languages: [en] } }',
  async run(input, task) {
    const detector = await loadDetector()
    const wanted = wantedLanguages(input.languages, detector.languages)
    const source = await openSource(task, input.input)
    await requireText(source, input.field)
    const text = textReader(input.field)
    const counts = new Map<string, number>()
    const { outputs } = await runRecords(task, {
      options: input,
      source,
      memory: {
        save: () => Object.fromEntries(counts),
        restore: (state) => {
          counts.clear()
          for (const [language, count] of Object.entries(state as { [language: string]: number }))
            counts.set(language, count)
        },
      },
      transform(record) {
        const found = text(record)
        if (found === null) return reject(noText, `\`${input.field}\` is missing or no text`)
        const detection = detector.detect(found)
        const { language } = detection
        if (language !== null && detection.reliable) counts.set(language, (counts.get(language) ?? 0) + 1)
        return verdictOn(detection, wanted, input)
      },
    })
    return succeeded({
      ...outputs,
      languages: Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1))),
    })
  },
})

function wantedLanguages(codes: readonly string[], known: readonly string[]): ReadonlySet<string> {
  const languages = codes.map((code) => {
    const language = languageCode(code)
    if (language === null || !known.includes(language)) {
      throw new OperatorFailure(
        'invalid_input',
        `\`languages\`: \`${code}\` is no language that can be told; these can: ${known.join(', ')}`,
      )
    }
    return language
  })
  return new Set(languages)
}

function verdictOn(
  { language, score, reliable }: Detection,
  wanted: ReadonlySet<string>,
  input: Input,
): Verdict {
  if (language !== null && reliable && score >= input.minScore) {
    return wanted.has(language) ? keep : reject('other_language', language)
  }
  if (input.undetermined === 'keep') return keep
  const guess = language === null ? 'no known language' : `perhaps ${language}, score ${score.toFixed(2)}`
  return (input.undetermined === 'review' ? review : reject)('undetermined', guess)
}
