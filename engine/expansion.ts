/** The items of a mapped task: counted, and told one by one, without making all combinations. Pure. */
import type { Evaluator, Scope } from './evaluator.ts'
import type { Json, JsonObject } from './json.ts'
import type { Task } from './pipeline.ts'
import type { Expansion } from './store/records.ts'

/** The items of a mapped task, resolved, with their keys. Throws where they are no list, or two have the same key. */
export function expansionOf({ foreach }: Task, scope: Scope, evaluator: Evaluator): Expansion {
  const { items: wanted, key } = foreach as NonNullable<Task['foreach']>
  const items = evaluator.render(wanted, scope)
  const lists =
    typeof wanted === 'string' || Array.isArray(wanted)
      ? { items: listOf(items, 'foreach') }
      : { lists: listsOf(items) }
  if (key === null) return { ...lists, keys: null }
  const expansion = { ...lists, keys: null }
  const places = new Map<string, number>()
  const keys = Array.from({ length: itemCount(expansion) }, (_, index) => {
    const name = evaluator.render(key, { ...scope, item: itemAt(expansion, index), index })
    if (name === null || typeof name === 'object')
      throw new Error(`the key of item ${index} is no text: \`${key}\` gave ${JSON.stringify(name)}`)
    const text = String(name)
    const twin = places.get(text)
    if (twin !== undefined) throw new Error(`items ${twin} and ${index} have the same key \`${text}\``)
    places.set(text, index)
    return text
  })
  return { ...lists, keys }
}

function listsOf(value: Json): { readonly [name: string]: readonly Json[] } {
  const lists = Object.entries(value as JsonObject)
  return Object.fromEntries(lists.map(([name, list]) => [name, listOf(list, `foreach.${name}`)]))
}

function listOf(value: Json, name: string): readonly Json[] {
  if (Array.isArray(value)) return value
  const what =
    value === null ? 'null' : typeof value === 'object' ? 'an object' : `the ${typeof value} ${value}`
  throw new Error(`\`${name}\` must give a list, not ${what}`)
}

/** How many instances there are. */
export function itemCount({ items, lists }: Expansion): number {
  if (items !== undefined) return items.length
  const sizes = Object.values(lists ?? {}).map((list) => list.length)
  return sizes.length === 0 ? 0 : sizes.reduce((product, size) => product * size, 1)
}

/** The item of instance `index`: of a list, or the combination of lists by name, the last name fastest. */
export function itemAt({ items, lists = {} }: Expansion, index: number): Json {
  if (items !== undefined) return items[index] as Json
  const combination: { [name: string]: Json } = {}
  let rest = index
  for (const [name, list] of Object.entries(lists).reverse()) {
    combination[name] = list[rest % list.length] as Json
    rest = Math.floor(rest / list.length)
  }
  return Object.fromEntries(Object.keys(lists).map((name) => [name, combination[name] as Json]))
}

/** The key of instance `index`. */
export function keyOf({ keys }: Expansion, index: number): string {
  return keys?.[index] ?? String(index)
}
