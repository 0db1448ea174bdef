/** JSON pointers (RFC 6901): of keys, to keys, and to what lies there. Pure. */
import type { Json } from './json.ts'

/** A key as a pointer has it, without the `/` before it. */
export function pointerPart(key: string | number): string {
  return String(key).replaceAll('~', '~0').replaceAll('/', '~1')
}

/** The pointer to what these keys lead to; of no keys it is empty, and means the whole value. */
export function pointerTo(keys: readonly (string | number)[]): string {
  return keys.map((key) => `/${pointerPart(key)}`).join('')
}

/** The keys of a pointer, outermost first; numbers of items are strings here. */
export function keysOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The value that a pointer leads to; undefined where there is none. */
export function valueAt(value: Json, pointer: string): Json | undefined {
  let here: Json | undefined = value
  for (const key of keysOf(pointer)) {
    if (typeof here !== 'object' || here === null || !Object.hasOwn(here, key)) return undefined
    here = (here as { readonly [key: string]: Json })[key]
  }
  return here
}
