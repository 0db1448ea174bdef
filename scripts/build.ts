/**
 * Makes dist/ for the published package: our sources and the small packages of the start-up path, bundled, so that few
 * files are read. Lazy imports stay lazy (code splitting). Every file lies one folder below dist/, as every source
 * that looks for a neighbour by `import.meta.url` expects.
 */
import { existsSync, globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, relative } from 'node:path'
import { build, type Metafile, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** The command line, and the two modules that worker processes load by their path. */
const entryPoints = ['cli/main.ts', 'plugins/worker.ts', 'operators/catalogue.ts']

/** Native or large, and needed by few commands: loaded from node_modules when asked for. */
const external = ['better-sqlite3', 'eld', 'libphonenumber-js', 'llama3-tokenizer-js', 're2js', 'validator']

/**
 * `await import('a-commonjs-package')` has the package's names in Node, but only `default` in a bundle with splitting.
 * So a lazily imported package goes through a module that names them.
 */
const namedLazyImports: Plugin = {
  name: 'named-lazy-imports',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path, kind, resolveDir, pluginData }) => {
      const bundled = !external.includes(path.split('/')[0] ?? '') && !isBuiltin(path)
      if (kind !== 'dynamic-import' || pluginData === 'named' || !bundled) return undefined
      return { path, namespace: 'lazy', pluginData: resolveDir }
    })
    onLoad({ filter: /.*/, namespace: 'lazy' }, async ({ path, pluginData }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name))
      const exported = names.filter((name) => name !== 'default' && name !== 'module.exports')
      const lines = exported.map((name) => `const { ${name} } = all\nexport { ${name} }`)
      if (names.includes('default')) lines.push('export default all.default')
      const source = `import * as all from ${JSON.stringify(path)}\n${lines.join('\n')}\n`
      return { contents: source, resolveDir: pluginData, pluginData: 'named' }
    })
  },
}

/** The packages whose code is in the bundle, with the folders that they were taken from. */
function bundledPackages({ inputs }: Metafile): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of Object.keys(inputs)) {
    const match = /^(?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)
    if (match?.[1]) found.set(match[1], join(root, match[0]))
  }
  return found
}

/** The licences of what is bundled ask that their text goes with it. */
function notices(packages: ReadonlyMap<string, string>): string {
  const sorted = [...packages].sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted
    .map(([name, folder]) => {
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      const files = globSync(['LICEN[CS]E*', 'licen[cs]e*', 'NOTICE*'], { cwd: folder }).sort()
      const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim())
      return [`${name} ${version} (${license})`, ...texts].join('\n\n')
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
}

rmSync(dist, { recursive: true, force: true })
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints,
  outdir: dist,
  outbase: root,
  entryNames: '[dir]/[name]',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  // Names stay readable in stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  keepNames: false,
  legalComments: 'none',
  external,
  plugins: [namedLazyImports],
  // Packages in CommonJS call `require` for Node's own modules.
  banner: { js: "import{createRequire as __cr}from'node:module';const require=__cr(import.meta.url);" },
  metafile: true,
  logLevel: 'warning',
})

const packages = bundledPackages(metafile)
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), `${notices(packages)}\n`)
for (const file of Object.keys(metafile.outputs)) {
  if (!/^dist\/[^/]+\/[^/]+$/.test(file)) throw new Error(`${file} is not one folder below dist/`)
}
for (const entry of entryPoints) {
  const file = join(dist, entry.replace(/\.ts$/, '.js'))
  if (!existsSync(file)) throw new Error(`${relative(root, file)} was not made`)
}
const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(
  `dist/: ${Object.keys(metafile.outputs).length} files, ${(bytes / 1024).toFixed(0)} KiB, with ${[...packages.keys()].sort().join(' ')}`,
)
