/** Where the test cases lie that stand outside the repository (`../shared/cases`). Knows nothing of what they hold. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/**
 * The absolute path of a folder of cases. Where it is absent: null, and the test says that it skips, or fails when
 * `DAGCTL_TEST_REQUIRE` is `all`.
 */
export function casesFolder(t: Test, name: string): string | null {
  const folder = fileURLToPath(new URL(`../../../shared/cases/${name}`, import.meta.url))
  if (existsSync(folder)) return folder
  if (process.env.DAGCTL_TEST_REQUIRE === 'all') t.fail(`../shared/cases/${name} is required, but absent`)
  else t.pass('the cases', { skip: `../shared/cases/${name} is absent` })
  return null
}
