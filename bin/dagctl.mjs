#!/usr/bin/env node
// The launcher: checks Node's version and hands over to the sources of a checkout, else to dist/. Knows no command.
const [major, minor] = process.versions.node.split('.').map(Number)
const [first, ...others] = process.argv.slice(2)

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `dagctl needs Node 22.19 or newer; this is Node ${process.versions.node}.\n` +
      'In a checkout, `npx dagctl` takes the Node that `npm ci` installed; elsewhere update Node, or `npm install node@24` beside dagctl.\n',
  )
  process.exitCode = 2
} else await start()

/** `process.getBuiltinModule` loads less than an import, whose names ask for all that the module can do. */
async function start() {
  const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
  if (others.length === 0 && (first === '--version' || first === '-V')) {
    const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
    process.stdout.write(`${version}\n`)
    return
  }
  process.getBuiltinModule('node:module').enableCompileCache()
  // A checkout may hold a stale dist/; a published package holds no sources.
  const sources = new URL('../cli/main.ts', import.meta.url)
  const main = existsSync(sources) ? sources : new URL('../dist/cli/main.js', import.meta.url)
  const { launch } = await import(main.href)
  await launch()
}
