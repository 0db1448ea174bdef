/** Quoting of values for /bin/sh, by where in a command they stand. Pure; knows nothing of templates. */

/**
 * What quotes stand around a place of a command; `unsafe` where no quoting keeps a value a value, `arithmetic` where none
 * keeps a string one: the shell expands what stands in `$((…))`, in quotes or not (POSIX.1-2017, XCU 2.6.4).
 */
export type ShellPlace = 'bare' | 'single' | 'double' | 'arithmetic' | 'unsafe'

/** What is said of a place that is `unsafe`. */
export const unsafePlace = 'a value cannot be quoted safely at this place of the command'

/** What is said of a string in a place of `arithmetic`. */
export const unsafeInArithmetic =
  'only a number can stand in arithmetic: the shell would run what a string holds'

/**
 * Where each hole of a command stands. `texts` are the parts around the holes, one more than there are holes.
 * Grammar: POSIX.1-2017, XCU 2.2 (quoting), 2.3 (tokens), 2.6 (expansions). Refused, since a value could end them: comments,
 * here-documents, backquotes, `$'…'`, `${…}`, `$[…]`, and a hole right after a backslash or `$`.
 */
export function shellPlaces(texts: readonly string[]): readonly ShellPlace[] {
  const scanner = new Scanner()
  return texts.slice(0, -1).map((text) => {
    scanner.read(text)
    return scanner.place()
  })
}

/** The value so that it stays one piece of text at this place. Throws nothing; `unsafe` and `arithmetic` must not get here. */
export function shellQuote(
  value: string,
  place: Exclude<ShellPlace, 'unsafe' | 'arithmetic'> = 'bare',
): string {
  if (place === 'double') return value.replace(/[\\"$`]/g, '\\$&')
  const inside = value.replaceAll("'", "'\\''")
  return place === 'single' ? inside : `'${inside}'`
}

/** `arithmetic` ends with `))`, a `group` in it with `)`; quotes mean nothing in either. */
type Frame = 'bare' | 'single' | 'double' | 'parenthesis' | 'arithmetic' | 'group'

class Scanner {
  /** What is open, the innermost last. Only `bare` kinds see operators, comments and quotes. */
  readonly #open: Frame[] = ['bare']
  #unsafe = false
  /** The last character that counts for what follows: a hole counts as part of a word. */
  #last = ' '

  place(): ShellPlace {
    if (this.#unsafe || this.#last === '\\' || this.#last === '$') return 'unsafe'
    this.#last = 'x'
    const top = this.#top()
    if (this.#counts()) return 'arithmetic'
    return top === 'single' || top === 'double' ? top : 'bare'
  }

  #counts(): boolean {
    const top = this.#top()
    return top === 'arithmetic' || top === 'group'
  }

  #top(): Frame {
    return this.#open.at(-1) ?? 'bare'
  }

  read(text: string): void {
    for (let at = 0; at < text.length && !this.#unsafe; ) at += this.#step(text, at)
  }

  /** Reads what stands at `at`; gives how many characters that is. */
  #step(text: string, at: number): number {
    const character = text[at] as string
    const top = this.#top()
    if (top === 'single') return this.#close(character, "'", character)
    if (character === '\\') return this.#escape(text, at)
    if (character === '`') this.#unsafe = true
    if (character === '$') return this.#dollar(text, at)
    if (top === 'double') return this.#close(character, '"', character)
    return this.#bare(text, at, character)
  }

  #close(character: string, end: string, last: string): number {
    if (character === end) this.#open.pop()
    this.#last = character === end ? 'x' : last
    return 1
  }

  #escape(text: string, at: number): number {
    const alone = at + 1 >= text.length
    this.#last = alone ? '\\' : 'x'
    return alone ? 1 : 2
  }

  #dollar(text: string, at: number): number {
    const next = text[at + 1]
    this.#last = '$'
    if (next === '{') this.#skipExpansion(text, at)
    if ((next === "'" && this.#top() !== 'double') || next === '[') this.#unsafe = true
    if (next !== '(') return next === '{' ? Math.max(1, text.indexOf('}', at) - at + 1) : 1
    this.#open.push(text[at + 2] === '(' ? 'arithmetic' : 'parenthesis')
    this.#last = ' '
    return text[at + 2] === '(' ? 3 : 2
  }

  /** A `${…}` that ends in the same text and holds nothing special is one word; any other is not followed. */
  #skipExpansion(text: string, at: number): void {
    const end = text.indexOf('}', at)
    if (end === -1 || /['"`\\$({]/.test(text.slice(at + 2, end))) this.#unsafe = true
    this.#last = 'x'
  }

  #bare(text: string, at: number, character: string): number {
    if ((character === "'" || character === '"') && !this.#counts()) {
      this.#open.push(character === "'" ? 'single' : 'double')
      this.#last = 'x'
      return 1
    }
    if (character === '#' && /[\s;&|()]/.test(this.#last) && !this.#counts()) return this.#comment(text, at)
    if (character === '<' && text[at + 1] === '<' && !this.#counts()) this.#unsafe = true
    // The `)` of its patterns looks like the end of `$(`.
    if (this.#open.length > 1 && /^case\b/.test(text.slice(at, at + 5)) && !/\w/.test(this.#last))
      this.#unsafe = true
    if (character === '(') return this.#group(text, at)
    if (character === ')') return this.#parenthesis(text, at)
    this.#last = character
    return 1
  }

  /** `((` is arithmetic to bash; a subshell in a subshell, where it is not, is written with a space by who needs a hole. */
  #group(text: string, at: number): number {
    const doubled = text[at + 1] === '(' && !this.#counts()
    this.#open.push(doubled ? 'arithmetic' : this.#counts() ? 'group' : 'parenthesis')
    this.#last = '('
    return doubled ? 2 : 1
  }

  #comment(text: string, at: number): number {
    const end = text.indexOf('\n', at)
    if (end === -1) this.#unsafe = true
    this.#last = '\n'
    return end === -1 ? 1 : end - at + 1
  }

  #parenthesis(text: string, at: number): number {
    const arithmetic = this.#top() === 'arithmetic' && text[at + 1] === ')'
    // `$((` was no arithmetic but a subshell in a substitution.
    if (this.#top() === 'arithmetic' && !arithmetic) this.#unsafe = true
    // A `)` that closes nothing belongs to a `case`; the place stays what it is.
    const closes = arithmetic || this.#top() === 'parenthesis' || this.#top() === 'group'
    if (this.#open.length > 1 && closes) this.#open.pop()
    this.#last = ' '
    return arithmetic ? 2 : 1
  }
}
