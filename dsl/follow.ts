/** Walks along a path into a type: what lies there, or why nothing does. Knows no names. */
import type { Code } from './codes.ts'
import { dereference, step, type Type, typeNames } from './types.ts'
import { didYouMean, either, quote } from './words.ts'

/** A path that means something. */
export interface Reference {
  readonly type: Type
  /** The schema that `type`'s own references count in. */
  readonly root: Type
  /** The task that it mentions. */
  readonly task: string | null
  /** What may be null as a whole (see `nullableRoots`), so that a use must be guarded; null where nothing is. */
  readonly nullable: string | null
}

/** A path that means nothing. */
export interface Fault {
  readonly code: Code
  readonly message: string
  readonly hint: string | null
  /** The path is right, and may have no value: `default` or `has()` is an answer to that. */
  readonly absent?: true
}

/**
 * What `rest` leads to inside `start`.
 * @param base the path so far, for what is said where nothing is
 * @param what the task that the path mentions, and what of it may be null
 */
export function follow(
  start: Type,
  rest: readonly string[],
  base: readonly string[],
  what: { readonly task: string | null; readonly nullable: string | null },
): Reference | Fault {
  let type = start
  const done = [...base]
  for (const key of rest) {
    const next = step(type, key, start)
    if ('fault' in next) return nothingAt(key, done, next, type)
    type = next.type
    done.push(key)
  }
  return { type: dereference(type, start), root: start, ...what }
}

function withArticle(name: string): string {
  return name === 'null' ? name : `${/^[aeiou]/.test(name) ? 'an' : 'a'} ${name}`
}

function nothingAt(
  key: string,
  done: readonly string[],
  step: { fault: string; known?: readonly string[] },
  type: Type,
): Fault {
  const owner = quote(done.join('.'))
  if (step.fault === 'unknown') {
    const known = step.known ?? []
    const fallback = known.length === 0 ? null : `it has ${either(known.slice(0, 12).map(quote), 'and')}`
    return { code: 'E122', message: `${owner} has no ${quote(key)}`, hint: didYouMean(key, known, fallback) }
  }
  const what =
    step.fault === 'list'
      ? 'a list: it has items by number'
      : [...(typeNames(type) ?? [])].map(withArticle).join(' or ')
  return { code: 'E122', message: `${owner} has no ${quote(key)}: it is ${what}`, hint: null }
}
