/** The templates and expressions of one task: what they mention, what they give, what is wrong. Reads no schemas of keys. */
import type { JsonObject, JsonSchema } from '../engine/json.ts'
import { pointerPart, pointerTo } from '../engine/pointer.ts'
import type { Chain, Expression, ExpressionError } from './expression.ts'
import type { Fault, Reference } from './follow.ts'
import type { Validator } from './json-schema.ts'
import type { Path } from './positions.ts'
import type { Span } from './problems.ts'
import { resolvePath } from './references.ts'
import type { Report } from './report.ts'
import { unsafePlace } from './shell.ts'
import type { Template, TemplateError } from './template.ts'
import type { Typed } from './template-types.ts'
import { celType, integersIn } from './types.ts'
import type { Place, Visible } from './visible.ts'
import { didYouMean, quote } from './words.ts'

/** The parsers, each loaded only for a file that needs it. */
export interface Languages {
  readonly template: {
    parse(text: string): Template
    type(
      template: Template,
      paths: (parts: readonly string[], span: Span, optional: boolean) => Typed | null,
      asText: boolean,
    ): Typed
    /** Where values cannot be quoted for the shell. */
    unsafe(template: Template): readonly Span[]
    isError(error: unknown): error is TemplateError
  } | null
  /** Compiled JSON Schemas, for inputs of which it is not certain that they match. */
  readonly schema: ((schema: JsonSchema) => Validator) | null
  readonly expression: {
    parse(text: string): Expression
    check(expression: Expression, typeOf: (chain: Chain) => string): void
    isError(error: unknown): error is ExpressionError
  } | null
}

/** A templated string of `with`, by its place. */
export interface Templated {
  readonly whole: boolean
  readonly typed: Typed
}

/** A use of a task or an input. */
export interface Read {
  readonly parts: readonly string[]
  readonly place: Place
  /** Where it stands in the file. */
  readonly at: Path
}

/** Reads the templates and expressions of one task and collects the tasks that they mention. */
export class TaskReferences {
  readonly mentioned = new Set<string>()
  /** Where what expressions refer to is an integer: JSON pointers into the scope, `*` for any item. */
  readonly integers = new Set<string>()
  /** Every use of a task or an input, in the order of the file. */
  readonly reads: Read[] = []
  readonly #visible: Visible
  readonly #report: Report
  readonly #languages: Languages
  #shell: readonly RegExp[] = []

  /** @param before what the task was found to mention before */
  constructor(visible: Visible, report: Report, languages: Languages, before: TaskReferences | null = null) {
    for (const task of before?.mentioned ?? []) this.mentioned.add(task)
    this.reads.push(...(before?.reads ?? []))
    this.#visible = visible
    this.#report = report
    this.#languages = languages
  }

  /** Checks every templated string in `value`; gives them by JSON pointer from `value`. */
  templates(
    value: unknown,
    path: Path,
    place: Place,
    shell: readonly string[] = [],
  ): ReadonlyMap<string, Templated> {
    const found = new Map<string, Templated>()
    this.#shell = shell.map((pointer) => new RegExp(`^${pointer.split('*').map(escaped).join('[^/]*')}$`))
    this.#walk(value, path, '', place, found)
    return found
  }

  #walk(value: unknown, path: Path, pointer: string, place: Place, found: Map<string, Templated>): void {
    if (typeof value === 'string') {
      if (value.includes('{{'))
        found.set(
          pointer,
          this.#template(
            value,
            path,
            place,
            this.#shell.some((pattern) => pattern.test(pointer)),
          ),
        )
    } else if (Array.isArray(value)) {
      value.forEach((item, index) => {
        this.#walk(item, [...path, index], `${pointer}/${index}`, place, found)
      })
    } else if (typeof value === 'object' && value !== null) {
      for (const [key, item] of Object.entries(value as JsonObject)) {
        if (key.includes('{{'))
          this.#report.atKey([...path, key], { code: 'E130', message: 'a key cannot hold a template' })
        this.#walk(item, [...path, key], `${pointer}/${pointerPart(key)}`, place, found)
      }
    }
  }

  #template(text: string, path: Path, place: Place, shell: boolean): Templated {
    const { template: language } = this.#languages
    const nothing = { whole: true, typed: { type: null, root: null } }
    if (!language) return nothing
    try {
      const template = language.parse(text)
      const typed = language.type(
        template,
        (parts, span, optional) =>
          this.#path({ parts, place, at: path }, optional, (complaint) =>
            this.#report.inside(path, span, complaint),
          ),
        shell,
      )
      if (shell) for (const span of language.unsafe(template)) this.#report.inside(path, span, unsafe)
      return { whole: template.whole && !shell, typed }
    } catch (error) {
      if (!language.isError(error)) throw error
      this.#report.inside(path, error.span, { code: error.code, message: error.message, hint: error.hint })
      return nothing
    }
  }

  #path(read: Read, optional: boolean, complain: (fault: Fault) => void): Reference | null {
    const { parts, place } = read
    const reference = resolvePath(parts, place, this.#visible)
    if ('code' in reference) {
      // A parameter is one of the paths that `default` stands in for; a task or an output that is not there is a slip.
      const absent = reference.absent || (reference.code === 'E122' && standsInFor.has(parts[0] ?? ''))
      if (!optional || !absent) complain(reference)
      return null
    }
    this.#keep(read, reference)
    if (reference.nullable !== null && !optional) {
      const message = `${quote(parts.join('.'))} may be null: ${whyNull(reference.nullable, place)}`
      complain({ code: 'E123', message, hint: 'wrap it: `{{ default … }}`' })
    }
    return reference
  }

  #keep(read: Read, { task }: Reference): void {
    if (task !== null) this.mentioned.add(task)
    if (task !== null || read.parts[0] === 'inputs') this.reads.push(read)
  }

  /** Checks one CEL expression; gives the names that its paths start with. */
  expression(text: string, path: Path, place: Place): ReadonlySet<string> {
    const { expression: language } = this.#languages
    const names = new Set<string>()
    if (!language) return names
    try {
      const expression = language.parse(text)
      for (const { parts } of expression.chains) names.add(parts[0] ?? '')
      const types = new Map(
        expression.chains.map((chain) => [chain, this.#chain(chain, path, place)] as const),
      )
      for (const { parts, literal, span } of expression.comparisons)
        this.#literal(parts, literal, (complaint) => this.#report.inside(path, span, complaint), place)
      if ([...types.values()].includes(null)) return names
      language.check(expression, (chain) => {
        const reference = types.get(chain)
        return reference ? celType(reference.type, reference.root) : 'dyn'
      })
    } catch (error) {
      if (!language.isError(error)) throw error
      this.#report.inside(path, error.span, { code: error.code, message: error.message, hint: error.hint })
    }
    return names
  }

  #chain(chain: Chain, path: Path, place: Place): Reference | null {
    const complain = (fault: Fault) => this.#report.inside(path, chain.span, fault)
    const reference = resolvePath(chain.parts, place, this.#visible)
    if ('code' in reference) {
      if (!reference.absent || chain.kind === 'value') complain(reference)
      return null
    }
    this.#keep({ parts: chain.parts, place, at: path }, reference)
    if (chain.kind !== 'value') return reference
    if (reference.nullable !== null && !chain.guards.has(reference.nullable))
      complain(unguarded(chain.parts, reference.nullable, place))
    for (const inside of integersIn(reference.type, reference.root))
      this.integers.add(pointerTo([...chain.parts, ...inside]))
    return reference
  }

  /** A string that the path is never equal to: a slip in a state or in a value of a list. */
  #literal(parts: readonly string[], literal: string, complain: (fault: Fault) => void, place: Place): void {
    const reference = resolvePath(parts, place, this.#visible)
    const values = 'code' in reference ? undefined : reference.type?.enum
    if (!Array.isArray(values) || values.includes(literal)) return
    const words = values.filter((value): value is string => typeof value === 'string')
    const hint = didYouMean(literal, words, `it is one of ${words.map(quote).join(', ')}`)
    complain({ code: 'E134', message: `${quote(parts.join('.'))} is never ${quote(literal)}`, hint })
  }
}

const unsafe = {
  code: 'E130',
  message: unsafePlace,
  hint: 'give it by `env`, and write "$NAME" here',
} as const

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}

/** Roots whose paths may lead nowhere, for which `default` stands in; a task or an output that is not there is a slip. */
const standsInFor: ReadonlySet<string> = new Set(['params', 'item'])

function whyNull(root: string, place: Place): string {
  if (root === 'baseline') return 'there may be no earlier run'
  const [, id = '', what, which = ''] = root.split('.')
  if (what === undefined && place === 'outputs') return `${quote(id)} may be skipped`
  if (what === undefined) return `with this \`trigger\`, ${quote(id)} may not have succeeded`
  const instance = what === 'byKey' ? `the instance ${quote(which)}` : `the instance ${which}`
  return `${instance} of ${quote(id)} may not be there, or not have succeeded`
}

function unguarded(parts: readonly string[], root: string, place: Place): Fault {
  const path = celPath(parts)
  const guard = root === 'baseline' ? 'baseline == null ||' : `${path} != null &&`
  return {
    code: 'E123',
    message: `${quote(path)} may be null: ${whyNull(root, place)}`,
    hint: `guard it: \`${guard} …\``,
  }
}

/** A path as CEL writes it. */
function celPath([root = '', ...rest]: readonly string[]): string {
  const steps = rest.map((part) => {
    if (/^\d+$/.test(part)) return `[${part}]`
    return /^[A-Za-z_]\w*$/.test(part) ? `.${part}` : `["${part}"]`
  })
  return [root, ...steps].join('')
}
