/** Where dagctl's own package lies, and its version. Reads package.json, nothing else. */
import { readFileSync } from 'node:fs'

/** The folder of package.json: beside cli/ in a checkout, beside dist/ in a published package. */
export const packageRoot = new URL(import.meta.url.endsWith('.ts') ? '../' : '../../', import.meta.url)

/** dagctl's own version. */
export function ownVersion(): string {
  const text = readFileSync(new URL('package.json', packageRoot), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
