/** Builds tap's test class with the plugins of .taprc, where that has not been done: tap's own first run comes too late. */
import { spawnSync } from 'node:child_process'
import { t } from 'tap'

if (t.pluginSignature.includes('@tapjs/typescript')) {
  const { status } = spawnSync('tap', ['build'], { stdio: 'inherit' })
  process.exitCode = status ?? 1
}
