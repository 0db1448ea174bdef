/** Golden files: what a command prints, kept word for word. `DAGCTL_GOLDEN=write` writes them anew; read the difference. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** Holds a text against `test/golden/NAME`. */
export function matchesGolden(t: Test, name: string, text: string): void {
  const path = fileURLToPath(new URL(`../golden/${name}`, import.meta.url))
  if (process.env.DAGCTL_GOLDEN === 'write') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  t.equal(text, readFileSync(path, 'utf8'), name)
}
