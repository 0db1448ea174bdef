/** From a place in the parsed value (a path of keys) to a span of the source. Knows YAML's tree, nothing of pipelines. */
import {
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type YAMLMap,
} from 'yaml'
import type { Span } from './problems.ts'

/** Keys and list indices from the root, as in a JSON pointer. */
export type Path = readonly (string | number)[]

/** Where the things of one document are. */
export class Positions {
  readonly text: string
  readonly #root: Node | null
  readonly #anchors: ReadonlyMap<string, Node>
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair>>()

  constructor(text: string, root: Node | null, anchors: ReadonlyMap<string, Node>) {
    this.text = text
    this.#root = root
    this.#anchors = anchors
  }

  /** The span of the value at `path`; where it does not exist, that of the nearest key or item above it. */
  value(path: Path): Span {
    const found = this.#find(path)
    return found.node ? this.#span(found.node) : found.above
  }

  /** The span of the key (or list item) at `path`. */
  key(path: Path): Span {
    const parent = this.#find(path.slice(0, -1)).node
    const name = path.at(-1)
    if (parent && isMap(parent) && name !== undefined) {
      const key = this.#pair(parent, String(name))?.key
      if (isNode(key)) return this.#span(key)
    }
    return this.value(path)
  }

  /**
   * The span of a part of the string at `path`: `start` and `end` count in the string's value. Where the source writes
   * the string in another way (escapes, folding), the part is looked up by its text, else it is the whole string.
   */
  inside(path: Path, part: Span): Span {
    const { node } = this.#find(path)
    const span = this.value(path)
    if (!node || !isScalar(node) || typeof node.value !== 'string') return span
    const raw = this.text.slice(span.start, span.end)
    const quotes = raw.startsWith('"') || raw.startsWith("'") ? 1 : 0
    const value = node.value
    if (raw.startsWith(value.slice(0, part.end), quotes))
      return { start: span.start + quotes + part.start, end: span.start + quotes + part.end }
    const words = value.slice(part.start, part.end)
    let found = -1
    for (let at = value.indexOf(words); at !== -1 && at <= part.start; at = value.indexOf(words, at + 1))
      found = raw.indexOf(words, found + 1)
    return found === -1 || words === ''
      ? span
      : { start: span.start + found, end: span.start + found + words.length }
  }

  #find(path: Path): { node: Node | null; above: Span } {
    let node = this.#resolve(this.#root)
    let above: Span = node ? this.#span(node) : { start: 0, end: 0 }
    for (const step of path) {
      let next: unknown
      const fromMap = node !== null && isMap(node)
      if (node && isMap(node)) {
        const pair = this.#pair(node, String(step))
        next = pair?.value
        if (isNode(pair?.key)) above = this.#span(pair.key)
      } else if (node && isSeq(node)) next = node.items[Number(step)]
      node = this.#resolve(isNode(next) ? next : null)
      if (!node) return { node: null, above }
      if (!fromMap) above = this.#span(node)
    }
    return { node, above }
  }

  #resolve(node: Node | null): Node | null {
    return node && isAlias(node) ? (this.#anchors.get(node.source) ?? null) : node
  }

  #pair(map: YAMLMap, key: string): Pair | undefined {
    let index = this.#pairs.get(map)
    if (!index) {
      index = new Map()
      for (const pair of map.items) if (isScalar(pair.key)) index.set(String(pair.key.value), pair)
      this.#pairs.set(map, index)
    }
    return index.get(key)
  }

  #span(node: Node): Span {
    const [start, end] = node.range ?? [0, 0]
    if (isCollection(node) && !node.flow) return { start, end: this.#firstLine(start, end) }
    return { start, end: Math.max(end, start) }
  }

  #firstLine(start: number, end: number): number {
    const line = this.text.indexOf('\n', start)
    return line === -1 || line > end ? end : line
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !isPair(value)
}
