/**
 * Holds the sources to .dependency-cruiser.mjs. dependency-cruiser reads TypeScript only through an API that
 * TypeScript 7 does not have, so it is given a copy without types, in which imports of types are kept as imports.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import extractConfig from 'dependency-cruiser/config-utl/extract-depcruise-config'

const root = join(import.meta.dirname, '..')
/** Inside node_modules' parent, so that packages resolve from there. */
const copy = join(root, '.imports')
const folders = [
  'bench',
  'cli',
  'dsl',
  'engine',
  'operators',
  'plugins',
  'schemas',
  'scripts',
  'server',
  'services',
  'simulation',
  'test',
]

/** JavaScript that imports the same files, also those of which it uses only types; specifiers end in .js. */
function withoutTypes(source: string): string {
  const types = source.matchAll(/^(?:import|export) type [^'"=;]*?from '([^']+)'/gm)
  const kept = Array.from(types, ([, specifier]) => `import '${specifier}'`).join('\n')
  return `${stripTypeScriptTypes(source)}\n${kept}`.replaceAll(
    /((?:from|import\(|import) ?'\.{1,2}\/[^']*)\.ts'/g,
    "$1.js'",
  )
}

rmSync(copy, { recursive: true, force: true })
try {
  const files = globSync(
    folders.map((folder) => `${folder}/**/*.ts`),
    { cwd: root },
  )
  for (const file of files) {
    const target = join(copy, file.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, withoutTypes(readFileSync(join(root, file), 'utf8')))
  }
  for (const file of globSync('schemas/**/*.{json,js}', { cwd: root }))
    writeFileSync(join(copy, file), readFileSync(join(root, file)))
  const { options = {}, ...ruleSet } = await extractConfig(join(root, '.dependency-cruiser.mjs'))
  const { output, exitCode } = await cruise(
    folders.filter((folder) => files.some((file) => file.startsWith(`${folder}/`))),
    { ...options, ruleSet, baseDir: copy, validate: true, outputType: 'err' },
    options.enhancedResolveOptions,
  )
  console.log(output)
  process.exitCode = exitCode === 0 ? 0 : 1
} finally {
  rmSync(copy, { recursive: true, force: true })
}
