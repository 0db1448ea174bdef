/** The rule sets by name, with their thresholds. Knows nothing of records. */
import { type C4, c4, c4Defaults } from './c4.ts'
import { type FineWeb, fineWeb, fineWebDefaults } from './fineweb.ts'
import { type GopherQuality, gopherQuality, gopherQualityDefaults } from './gopher-quality.ts'
import { type GopherRepetition, gopherRepetition, gopherRepetitionDefaults } from './gopher-repetition.ts'

/** The names of the rule sets. */
export type RuleSet = 'gopher_quality' | 'gopher_repetition' | 'c4' | 'fineweb'

/** Thresholds that differ from the published ones, by rule set. */
export interface Limits {
  readonly gopherQuality?: Partial<GopherQuality>
  readonly gopherRepetition?: Partial<GopherRepetition>
  readonly c4?: Partial<C4>
  readonly fineweb?: Partial<FineWeb>
}

/** Why a text is dropped: the first rule that it breaks, in the order of the sets; null keeps it. */
export type Judge = (text: string) => string | null

/** Puts the named rule sets together. */
export function judgeBy(rules: readonly RuleSet[], limits: Limits = {}): Judge {
  const sets: Record<RuleSet, () => Judge> = {
    gopher_quality: () => bind(gopherQuality, { ...gopherQualityDefaults, ...limits.gopherQuality }),
    gopher_repetition: () =>
      bind(gopherRepetition, { ...gopherRepetitionDefaults, ...limits.gopherRepetition }),
    c4: () => bind(c4, { ...c4Defaults, ...limits.c4 }),
    fineweb: () => bind(fineWeb, { ...fineWebDefaults, ...limits.fineweb }),
  }
  const judges = rules.map((name) => sets[name]())
  return (text) => {
    for (const judge of judges) {
      const reason = judge(text)
      if (reason !== null) return reason
    }
    return null
  }
}

function bind<L>(rule: (text: string, limits: L) => string | null, limits: L): Judge {
  return (text) => rule(text, limits)
}
