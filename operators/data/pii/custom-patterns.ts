/** Patterns of the pipeline's author. They run in RE2, whose time is linear in the text, and never in the engine's own backtracking. */
import type { Detector } from './span.ts'
import { score } from './span.ts'

/** A pattern of the input: matches get the type `name`. */
export interface CustomPattern {
  readonly name: string
  /** RE2 syntax: no look-around, no back references. A group named `value` narrows the span. */
  readonly pattern: string
}

/** Why a pattern cannot be used: which one, and what RE2 says. */
export class PatternError extends Error {
  override readonly name = 'PatternError'
}

/** Finds the types that `patterns` name. Throws a PatternError for one that RE2 does not accept or that matches nothing. */
export async function customDetector(patterns: readonly CustomPattern[]): Promise<Detector> {
  const { RE2JS } = await import('re2js')
  const compiled = patterns.map(({ name, pattern }) => {
    try {
      const regex = RE2JS.compile(pattern)
      if (regex.matcher('').find()) throw new Error('it matches the empty text')
      return { name, regex, group: /\(\?P?<value>/.test(pattern) }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new PatternError(`the pattern "${name}" cannot be used: ${reason}. Write it in RE2 syntax.`, {
        cause,
      })
    }
  })
  return {
    types: patterns.map(({ name }) => ({
      name,
      about: 'a pattern of the pipeline',
      decidedBy: 'structure',
      byDefault: true,
    })),
    find(text, found, wanted) {
      for (const { name, regex, group } of compiled) {
        if (!wanted(name)) continue
        const matcher = regex.matcher(text)
        while (matcher.find()) {
          const [start, end] = group
            ? [matcher.start('value'), matcher.end('value')]
            : [matcher.start(), matcher.end()]
          if (end > start) found(start, end, name, score.proven)
        }
      }
    },
  }
}
