/** `foreach`, `key` and `maxParallel`: how a task becomes many, and what `item` is in each. Knows no operators. */
import { itemAt, itemCount } from '../engine/expansion.ts'
import type { Json, JsonObject } from '../engine/json.ts'
import type { Foreach } from '../engine/pipeline.ts'
import { pointerTo } from '../engine/pointer.ts'
import type { Task as TaskFile } from '../schemas/pipeline.generated.ts'
import { closed, itemsOf, typeOfWritten } from './item-types.ts'
import type { Path } from './positions.ts'
import type { Report } from './report.ts'
import type { TaskReferences, Templated } from './task-references.ts'
import { fits, type Type, typeInWords, typeNames } from './types.ts'
import { quote } from './words.ts'

type Items = NonNullable<TaskFile['foreach']>

/** Reports `key` and `maxParallel` where there is nothing that they could say something of. */
export function checkUnmapped(file: TaskFile, path: Path, report: Report): void {
  if (file.foreach !== undefined) return
  for (const key of ['key', 'maxParallel'] as const)
    if (file[key] !== undefined)
      report.atKey([...path, key], {
        code: 'E112',
        message: `${quote(key)} needs \`foreach\``,
        hint: 'only a task with `foreach` has instances',
      })
}

/** Checks `foreach`; gives what `item` is in the task. `references` must not know an item. */
export function itemTypeOf(items: Items, path: Path, references: TaskReferences, report: Report): Type {
  const templates = references.templates(items, path, 'foreach')
  const list = (value: unknown, at: Path, pointer: string): Type =>
    typeof value === 'string'
      ? itemsOfTemplate(templates.get(pointer), at, report)
      : itemsOf(typed(typeOfWritten(value as Json, templates, pointer)))
  if (typeof items === 'string' || Array.isArray(items)) return list(items, path, '')
  return closed(
    Object.entries(items).map(([name, value]) => {
      return [name, list(value, [...path, name], pointerTo([name]))]
    }),
  )
}

function typed(type: Type): Templated['typed'] {
  return { type, root: type }
}

const aList: Type = { type: 'array' }

function itemsOfTemplate(templated: Templated | undefined, path: Path, report: Report): Type {
  const given = templated?.whole ? templated.typed : typed({ type: 'string' })
  if (fits(given.type, aList, { from: given.root, to: aList })) return itemsOf(given)
  report.atValue(path, {
    code: 'E129',
    message: `${quote(String(path.at(-1)))} must be a list, not ${typeInWords(given.type, given.root)}`,
    hint: templated ? null : 'write a list, or a template that gives one',
  })
  return null
}

/** Items of a list in the file whose keys are compared: more than anybody writes by hand. */
const mostCompared = 10_000

/** Reports two items that are written in the file and would have the same key. */
export function checkTwins(items: Items, key: string, path: Path, report: Report): void {
  // A key without a template is reported already.
  if (typeof items === 'string' || JSON.stringify(items).includes('{{') || !key.includes('{{')) return
  const lists = Array.isArray(items) ? { items } : { lists: items }
  if (!Object.values(lists.lists ?? {}).every(Array.isArray)) return
  const expansion = { ...lists, keys: null } as Parameters<typeof itemAt>[0]
  const keyAt = writtenKey(key)
  const places = new Map<string, number>()
  for (let index = 0; keyAt !== null && index < Math.min(itemCount(expansion), mostCompared); index++) {
    const text = keyAt(itemAt(expansion, index), index)
    const twin = places.get(text)
    places.set(text, index)
    if (twin === undefined) continue
    report.atValue(path, {
      code: 'E113',
      message: `items ${twin} and ${index} have the same key ${quote(text)}`,
      hint: 'name what tells them apart, or add `{{ index }}`',
    })
    return
  }
}

/** The key of an item, where the template only holds parts of the item and its index; else null. */
function writtenKey(key: string): ((item: Json, index: number) => string) | null {
  const part = /\{\{\s*(item|index)((?:\.[A-Za-z_]\w*)*)\s*\}\}/g
  if (key.replaceAll(part, '').includes('{{')) return null
  return (item, index) =>
    key.replaceAll(part, (_, name: string, rest: string) => {
      let value: unknown = name === 'item' ? item : index
      for (const step of rest.split('.').slice(1)) value = (value as JsonObject | null)?.[step]
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    })
}

/** Checks `key`: a name of its own for each instance. */
export function checkKey(key: string, path: Path, references: TaskReferences, report: Report): void {
  const templated = references.templates(key, path, 'key').get('')
  if (!/\b(?:item|index)\b/.test(templated ? key : ''))
    report.atValue(path, {
      code: 'E113',
      message: 'every instance would have the same key',
      hint: 'name it by `{{ item }}`, by a part of it, or by `{{ index }}`',
    })
  if (!templated?.whole) return
  const names = typeNames(templated.typed.type, templated.typed.root)
  if (names === null || names.has('string') || names.has('integer') || names.has('number')) return
  report.atValue(path, {
    code: 'E129',
    message: `\`key\` must be a string or a number, not ${typeInWords(templated.typed.type, templated.typed.root)}`,
    hint: 'name a part of the item, such as `{{ item.name }}`',
  })
}

/**
 * The task's `foreach` for the engine; undefined where it has none.
 * @param inWhen the names that `when` mentions
 */
export function foreachOf(file: TaskFile, inWhen: ReadonlySet<string>): Foreach | undefined {
  if (file.foreach === undefined) return undefined
  return {
    items: file.foreach as Json,
    key: file.key ?? null,
    maxParallel: file.maxParallel ?? null,
    whenEach: inWhen.has('item') || inWhen.has('index'),
  }
}
