/**
 * Values of Parquet columns as JSON, by the column's type (parquet-format, LogicalTypes.md). Pure: knows nothing of files.
 *
 * - integers: numbers, those beyond 2^53 - 1 strings of digits; decimals: strings with all their digits
 * - date `2024-02-29`; time `12:00:00.5`; timestamp `2024-02-29T12:00:00.5Z`, without the Z where it is local time
 * - text, enums and UUIDs: strings; JSON: the value in it; all other bytes: Base64
 * - lists: arrays; structs and maps: objects; NaN, infinities and what is missing: null
 */
import type { SchemaElement, SchemaTree } from 'hyparquet'
import type { Json } from '../../plugins/api.ts'

/** Bytes that should be text and are no UTF-8; the row cannot be read. */
export class BadText {
  readonly bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }
}

/** From a value as hyparquet gives it, with dates and timestamps still numbers, to JSON. Throws a BadText. */
export type ToJson = (value: unknown) => Json

/** The conversion of one column, nested ones included. */
export function converterOf(node: SchemaTree): ToJson {
  const one = orNull(node.children.length > 0 ? ofGroup(node) : ofLeaf(node.element))
  // A repeated field that is in no list is a list by itself (LogicalTypes.md, backward-compatibility rules).
  return node.element.repetition_type === 'REPEATED' ? ofList(one) : one
}

function orNull(convert: ToJson): ToJson {
  return (value) => (value === null || value === undefined ? null : convert(value))
}

function ofList(item: ToJson): ToJson {
  return (value) => Array.from((value ?? []) as Iterable<unknown>, item)
}

function ofGroup(node: SchemaTree): ToJson {
  const { converted_type: type, logical_type: logical } = node.element
  if (logical?.type === 'VARIANT') return plain
  const [inner] = node.children
  if (type === 'LIST' && node.children.length === 1 && inner) {
    const element = inner.children.length === 1 && inner.children[0] ? inner.children[0] : inner
    return ofList(element === inner ? notRepeated(inner) : converterOf(element))
  }
  const value = inner?.children[1]
  if (type === 'MAP' && node.children.length === 1 && value) {
    const convert = converterOf(value)
    return ofObject(() => convert)
  }
  const children = new Map(node.children.map((child) => [child.element.name, converterOf(child)]))
  return ofObject((name) => children.get(name) ?? plain)
}

function notRepeated(node: SchemaTree): ToJson {
  return converterOf({ ...node, element: { ...node.element, repetition_type: 'OPTIONAL' } })
}

function ofObject(converter: (name: string) => ToJson): ToJson {
  return (value) =>
    Object.fromEntries(Object.entries(value as object).map(([name, item]) => [name, converter(name)(item)]))
}

/** How many units of a time are in a second. */
const perSecond = { MILLIS: 1_000n, MICROS: 1_000_000n, NANOS: 1_000_000_000n } as const
type Unit = keyof typeof perSecond

function ofLeaf(element: SchemaElement): ToJson {
  const { converted_type: type, logical_type: logical } = element
  if (type === 'DECIMAL' || logical?.type === 'DECIMAL') return decimalOf(element)
  if (type === 'DATE' || logical?.type === 'DATE') return (days) => isoDate(BigInt(days as number) * 86_400n)
  if (logical?.type === 'TIMESTAMP') return timestampOf(logical.unit, logical.isAdjustedToUTC)
  if (type === 'TIMESTAMP_MILLIS' || type === 'TIMESTAMP_MICROS') return timestampOf(unitOf(type), true)
  if (element.type === 'INT96') return timestampOf('NANOS', true)
  if (logical?.type === 'TIME') return timeOf(logical.unit)
  if (type === 'TIME_MILLIS' || type === 'TIME_MICROS') return timeOf(unitOf(type))
  if (type === 'JSON' || logical?.type === 'JSON') return (value) => parsed(textOf(value))
  if (type === 'UTF8' || type === 'ENUM' || logical?.type === 'STRING' || logical?.type === 'ENUM')
    return textOf
  return plain
}

const unitOf = (type: string): Unit => (type.endsWith('MILLIS') ? 'MILLIS' : 'MICROS')

function textOf(value: unknown): string {
  if (value instanceof BadText) throw value
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}

/** The value that a JSON column holds; text that is none stays text. */
function parsed(text: string): Json {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** By the value alone, where the type says no more. */
function plain(value: unknown): Json {
  if (value instanceof BadText) throw value
  if (value === null || value === undefined) return null
  if (typeof value === 'bigint') return integer(value)
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (value instanceof Date) return value.toJSON()
  if (Array.isArray(value)) return value.map(plain)
  return typeof value === 'object' ? ofObject(() => plain)(value) : (value as Json)
}

function integer(value: bigint): Json {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value.toString()
}

/** Two's complement, most significant byte first, or an integer; both without the decimal point. */
function decimalOf({ scale = 0 }: SchemaElement): ToJson {
  return (value) => {
    const unscaled =
      value instanceof Uint8Array
        ? BigInt.asIntN(value.length * 8, BigInt(`0x${Buffer.from(value).toString('hex') || '0'}`))
        : BigInt(value as bigint | number)
    const sign = unscaled < 0n ? '-' : ''
    const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0')
    return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  }
}

function timestampOf(unit: Unit, utc: boolean): ToJson {
  return (value) => {
    const [seconds, fraction] = split(BigInt(value as bigint), unit)
    const within = seconds - floor(seconds, 86_400n) * 86_400n
    return `${isoDate(seconds)}T${clock(within)}${fraction}${utc ? 'Z' : ''}`
  }
}

function timeOf(unit: Unit): ToJson {
  return (value) => {
    const [seconds, fraction] = split(BigInt(value as bigint | number), unit)
    return `${clock(seconds)}${fraction}`
  }
}

function floor(value: bigint, by: bigint): bigint {
  return value / by - (value % by < 0n ? 1n : 0n)
}

/** Whole seconds, and the rest as `.5` without zeros at its end. */
function split(value: bigint, unit: Unit): [bigint, string] {
  const by = perSecond[unit]
  const seconds = floor(value, by)
  const rest = (value - seconds * by).toString().padStart(by.toString().length - 1, '0')
  const digits = rest.replace(/0+$/, '')
  return [seconds, digits === '' ? '' : `.${digits}`]
}

function clock(seconds: bigint): string {
  return [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n]
    .map((part) => part.toString().padStart(2, '0'))
    .join(':')
}

/** The day of a number of seconds since 1970; beyond what a Date holds (the year 275760) the number of days. */
function isoDate(seconds: bigint): string {
  const days = floor(seconds, 86_400n)
  const date = new Date(Number(days) * 86_400_000)
  return Number.isNaN(date.getTime()) ? `${days} days` : (date.toISOString().split('T')[0] as string)
}
