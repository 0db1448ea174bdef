/** From a text to the disjoint spans of what is personal in it: which detectors run, and what counts. Masks nothing. */
import { creditCard } from './credit-card.ts'
import { crypto } from './crypto.ts'
import { type CustomPattern, customDetector } from './custom-patterns.ts'
import { dates } from './dates.ts'
import { email } from './email.ts'
import { iban } from './iban.ts'
import { idDetector } from './id-rule.ts'
import { americas } from './ids-americas.ts'
import { asia } from './ids-asia.ts'
import { britain } from './ids-britain.ts'
import { europe } from './ids-europe.ts'
import { germany } from './ids-germany.ts'
import { south } from './ids-south.ts'
import { ip } from './ip.ts'
import { mac } from './mac.ts'
import { disjoint } from './overlaps.ts'
import { phoneDetector, phoneType } from './phone.ts'
import { defaultRegions, loadPlans } from './phone-plans.ts'
import { plain } from './plain.ts'
import { type Detector, type PiiType, type Span, threshold } from './span.ts'
import { streetAddress } from './street-address.ts'
import { url } from './url.ts'

/** Detectors without options, strongest types first: the order decides where all else is equal. */
const fixed: readonly Detector[] = [
  email,
  iban,
  creditCard,
  crypto,
  mac,
  ip,
  url,
  idDetector([...americas, ...britain, ...germany, ...europe, ...asia, ...south]),
  dates,
  streetAddress,
]

/** All built-in types, each once as its first rule has it, in the order of precedence. */
export const piiTypes: readonly PiiType[] = [
  ...fixed.flatMap((detector) => detector.types),
  phoneType,
].filter(({ name }, at, all) => all.findIndex((type) => type.name === name) === at)

/** Types that need a model, which does not exist yet. */
const modelTypes = ['PERSON', 'ORGANIZATION', 'LOCATION', 'GPE', 'NRP'] as const

/** What to look for. */
export interface DetectOptions {
  /** Names of built-in types or of `patterns`. Default: all that are found by default, and all patterns. */
  readonly types?: readonly string[]
  readonly patterns?: readonly CustomPattern[]
  /** Regions (ISO 3166) whose national telephone numbers are known. */
  readonly phoneRegions?: readonly string[]
  /** Spans of at least this score count, 0 to 1. Default {@link threshold}. */
  readonly threshold?: number
}

/** Finds disjoint spans in one text, by start. */
export type Detect = (text: string) => Span[]

/** Why the options make no sense: which name, and what to do. */
export class DetectError extends Error {
  override readonly name = 'DetectError'
}

/** Prepares a detector of many types. Throws a DetectError or PatternError for options that cannot be met. */
export async function createDetect(options: DetectOptions = {}): Promise<Detect> {
  const patterns = options.patterns ?? []
  const wantedTypes = new Set(chosen(options.types, patterns))
  const wanted = (type: string) => wantedTypes.has(type)
  const detectors = fixed.filter((detector) => detector.types.some((type) => wanted(type.name)))
  if (wanted('PHONE_NUMBER')) detectors.push(await phones(options.phoneRegions ?? defaultRegions))
  if (patterns.some((pattern) => wanted(pattern.name))) detectors.unshift(await customDetector(patterns))
  const order = [...patterns.map((pattern) => pattern.name), ...piiTypes.map((type) => type.name)]
  const least = options.threshold ?? threshold
  return (text) => {
    const spans: Span[] = []
    const found = (start: number, end: number, type: string, score: number) => {
      if (score >= least && wanted(type)) spans.push({ start, end, type, score })
    }
    const read = plain(text)
    for (const detector of detectors) detector.find(read, found, wanted)
    return disjoint(text, spans, order)
  }
}

function chosen(types: readonly string[] | undefined, patterns: readonly CustomPattern[]): readonly string[] {
  const own = patterns.map((pattern) => pattern.name)
  if (!types) return [...own, ...piiTypes.filter((type) => type.byDefault).map((type) => type.name)]
  const known = new Set([...own, ...piiTypes.map((type) => type.name)])
  for (const type of types) {
    if (known.has(type)) continue
    if ((modelTypes as readonly string[]).includes(type)) {
      throw new DetectError(
        `the type ${type} needs a model, which is not supported yet; remove it from types`,
      )
    }
    throw new DetectError(`there is no type ${type}; the types are ${[...known].join(', ')}`)
  }
  return types
}

async function phones(regions: readonly string[]): Promise<Detector> {
  const plans = await loadPlans()
  const unknown = regions.find((region) => !plans.knows(region))
  if (unknown)
    throw new DetectError(`phoneRegions names ${unknown}, which is no ISO 3166 region with a numbering plan`)
  return phoneDetector(plans, regions)
}
