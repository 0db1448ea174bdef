/** Patterns of S3 keys, as the globs of local files mean them: `*` and `?` stop at a `/`, `**` does not. Pure. */
import type { RE2JS } from 're2js'

/** A place in S3. */
export interface S3Place {
  readonly bucket: string
  readonly key: string
  /** What all keys that are meant begin with. */
  readonly prefix: string
  readonly isGlob: boolean
}

/** What `s3://bucket/key-or-glob` names; null where it is no such URI. */
export function placeOf(uri: string): S3Place | null {
  const [, bucket = '', key = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/s.exec(uri) ?? []
  if (bucket === '') return null
  const wild = key.search(/[*?[{]/)
  return { bucket, key, prefix: wild < 0 ? key : key.slice(0, wild), isGlob: wild >= 0 }
}

/**
 * Whether a key matches a glob. In RE2, whose time is linear: a backtracking engine can be made to hang by `*` alone.
 * Throws a SyntaxError for a glob with a bracket that is never closed.
 */
export async function matcherOf(glob: string): Promise<(key: string) => boolean> {
  const { RE2JS: re2 } = await import('re2js')
  const pattern: RE2JS = re2.compile(`^${translated(glob)}$`, re2.DOTALL)
  return (key) => pattern.matches(key)
}

const plain = (text: string) => text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')

function translated(glob: string): string {
  let out = ''
  let depth = 0
  for (const [token] of glob.matchAll(/\*\*\/|\*\*|\*|\?|\[[!^]?\]?[^\]]*\]|\\.|./gs)) {
    if (token === '**/') out += '(?:.*/)?'
    else if (token === '**') out += '.*'
    else if (token === '*') out += '[^/]*'
    else if (token === '?') out += '[^/]'
    else if (token === '{') {
      depth += 1
      out += '(?:'
    } else if (token === '}' && depth > 0) {
      depth -= 1
      out += ')'
    } else if (token === ',' && depth > 0) out += '|'
    else if (token.length > 1 && token.startsWith('[')) out += setOf(token)
    else if (token === '[') throw new SyntaxError(`in \`${glob}\` a \`[\` is never closed`)
    else out += plain(token.length === 2 ? token.slice(1) : token)
  }
  if (depth > 0) throw new SyntaxError(`in \`${glob}\` a \`{\` is never closed`)
  return out
}

/** `[a-z]`, `[!a]`: a `-` between two characters is a range, all else is itself. */
function setOf(token: string): string {
  const negated = /^\[[!^]/.test(token)
  const inside = token.slice(negated ? 2 : 1, -1).replace(/[\\^[\]&~]/g, '\\$&')
  return negated ? `[^/${inside}]` : `[${inside}]`
}
