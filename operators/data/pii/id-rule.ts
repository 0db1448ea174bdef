/** A detector made of rules for document numbers: a form, a check, and the words that name it. Knows no document. */
import { contextOf, near } from './context.ts'
import { type Detector, type Found, type PiiType, score, threshold } from './span.ts'
import { digitWindows } from './windows.ts'

/** What a check says: proven, impossible, or nothing (the number has no check digit, or an old one). */
export type Verdict = true | false | null

/** How one kind of document number is recognised. */
export interface IdRule {
  readonly type: string
  /** What it is and what decides, in one line. */
  readonly about: string
  /** With the flag `g`; boundaries included. {@link alone} and {@link digitsAlone} make the usual ones. */
  readonly form: RegExp
  /** Fewest digits of a match: text with fewer is not searched. */
  readonly digits: number
  /** Given the match in capitals without separators, and the match as written. Absent: the form alone. */
  readonly check?: (compact: string, written: string) => Verdict
  /** Without a word of context: when proven (default weak where there is context, else proven), and when the check is silent. */
  readonly proven?: number
  readonly unproven?: number
  /** Words close by that raise a match to strong. */
  readonly context?: readonly string[]
  /** False: only found when it is asked for by name. */
  readonly byDefault?: boolean
}

/** A form that touches no ASCII letter or digit; `flags` beside `g`. */
export function alone(form: string, flags = ''): RegExp {
  return new RegExp(`(?<![A-Za-z\\d])(?:${form})(?![A-Za-z\\d])`, `g${flags}`)
}

/** A form of digits and dashes that is no part of a longer row of digits, decimal fraction or dashed number. */
export function digitsAlone(form: string): RegExp {
  return new RegExp(`(?<![A-Za-z\\d]|\\d[-./])(?:${form})(?![A-Za-z\\d]|[-./]\\d)`, 'g')
}

/** The detector of all `rules`. */
export function idDetector(rules: readonly IdRule[]): Detector {
  const compiled = rules.map((rule) => ({ ...rule, words: rule.context && contextOf(rule.context) }))
  return {
    types: rules.map((rule) => ({
      name: rule.type,
      about: rule.about,
      decidedBy: decidedBy(rule),
      byDefault: rule.byDefault ?? true,
    })),
    find(text, found, wanted) {
      for (const window of digitWindows(text)) {
        const part =
          window.start === 0 && window.end === text.length ? text : text.slice(window.start, window.end)
        for (const rule of compiled) {
          if (window.digits >= rule.digits && wanted(rule.type)) apply(rule, part, text, window.start, found)
        }
      }
    },
  }
}

/** The score of a match whose check digit holds, and of one that has none. */
function scores(rule: IdRule): { readonly proven: number; readonly unproven: number } {
  const proven = rule.proven ?? (rule.context ? score.weak : score.proven)
  return { proven, unproven: rule.unproven ?? score.weak }
}

function decidedBy(rule: IdRule): PiiType['decidedBy'] {
  const { proven, unproven } = scores(rule)
  if (unproven >= threshold) return 'structure'
  return rule.check && proven >= threshold ? 'checksum' : 'context'
}

function apply(
  rule: IdRule & { words: RegExp | undefined },
  part: string,
  text: string,
  offset: number,
  found: Found,
): void {
  for (const match of part.matchAll(rule.form)) {
    const verdict = rule.check
      ? rule.check(match[0].replace(/[^A-Za-z\d]/g, '').toUpperCase(), match[0])
      : null
    if (verdict === false) continue
    const start = offset + match.index
    const end = start + match[0].length
    const { proven, unproven } = scores(rule)
    const own = verdict ? proven : unproven
    const named = own < score.strong && rule.words !== undefined && near(text, start, end, rule.words)
    found(start, end, rule.type, named ? score.strong : own)
  }
}
