/**
 * Makes dist/ for the published package: our sources and small packages, bundled, so that starting reads few files.
 * Lazy imports stay lazy. Every file lies one folder below dist/, as every source that looks for a neighbour by
 * `import.meta.url` expects.
 */
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { type BuildOptions, build, type Metafile, type Plugin } from 'esbuild'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')

/** In one file: loading thirty takes longer. */
const commandLine = 'cli/main.ts'

/** What worker processes and threads load by their paths; split, as they share modules. */
const workerModules = [
  'plugins/worker.ts',
  'operators/catalogue.ts',
  'cli/compile-worker.ts',
  'cli/manifest-worker.ts',
]

/** Native or large, and needed by few commands: loaded from node_modules when asked for. */
const external = [
  '@aws-sdk/client-s3',
  'better-sqlite3',
  'eld',
  'libphonenumber-js',
  'llama3-tokenizer-js',
  'pg',
  're2js',
]

const isExternal = (path: string) => external.some((name) => path === name || path.startsWith(`${name}/`))

/** A package that is imported lazily is a file of its own: its path from any file of dist/, by the path it is imported by. */
const lazyPackages = new Map<string, string>()

/** Leads lazy imports of packages to their files. */
const separatePackages: Plugin = {
  name: 'separate-packages',
  setup({ onResolve }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) => {
      if (kind !== 'dynamic-import' || isExternal(path) || isBuiltin(path)) return undefined
      const name = path.replace(/\.js$/, '').replaceAll('/', '-')
      lazyPackages.set(path, name)
      return { path: `../packages/${name}.js`, external: true }
    })
  },
}

/**
 * `import()` of a package in CommonJS has the package's names in Node, but only `default` when it is bundled. So each
 * goes through a module that names them.
 */
const namedExports: Plugin = {
  name: 'named-exports',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[@a-z]/ }, ({ path, kind }) =>
      kind === 'entry-point' ? { path, namespace: 'named' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'named' }, async ({ path }) => {
      const names = Object.keys(await import(path)).filter((name) => /^[A-Za-z_$][\w$]*$/.test(name))
      const exported = names.filter((name) => name !== 'default' && name !== 'module.exports')
      const lines = exported.map((name) => `const { ${name} } = all\nexport { ${name} }`)
      if (names.includes('default')) lines.push('export default all.default')
      const contents = `import * as all from ${JSON.stringify(path)}\n${lines.join('\n')}\n`
      return { contents, resolveDir: root }
    })
  },
}

/**
 * Node's own modules and external packages are loaded when something of them is first used, not when a file that
 * imports them is: an ES module of `node:crypto` or `node:fs` also loads all that they could need.
 */
const lateModules: Plugin = {
  name: 'late-modules',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^[a-z]/ }, ({ path, kind, namespace }) => {
      if (namespace === 'late' || (kind !== 'import-statement' && kind !== 'require-call')) return undefined
      return isBuiltin(path) || isExternal(path) ? { path, namespace: 'late', sideEffects: false } : undefined
    })
    onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => {
      if (isExternal(path)) return { contents: `module.exports = require(${JSON.stringify(path)})` }
      const module = process.getBuiltinModule(path)
      const loaded = `process.getBuiltinModule(${JSON.stringify(path)})`
      // `process` is there already, and some modules are functions.
      if (typeof module !== 'object' || module === process) return { contents: `module.exports = ${loaded}` }
      const names = Object.keys(module).join(' ')
      const getter = `{ enumerable: true, configurable: true, get: () => ${loaded}[name] }`
      return {
        contents: `for (const name of '${names}'.split(' ')) Object.defineProperty(exports, name, ${getter})`,
      }
    })
  },
}

/** The packages whose code is in the bundle, with the folders that they were taken from. */
function bundledPackages(inputs: Metafile['inputs']): Map<string, string> {
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

const common: BuildOptions = {
  absWorkingDir: root,
  outdir: dist,
  outbase: root,
  entryNames: '[dir]/[name]',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.19',
  // Names stay readable in stack traces.
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  external,
  logLevel: 'warning',
}

/** For packages in CommonJS; only where it is used, for it takes time. */
const makeRequire = "const require=process.getBuiltinModule('node:module').createRequire(import.meta.url);"

/** Writes what is built, and tells what of. */
async function emit(options: BuildOptions): Promise<Metafile> {
  const { outputFiles, metafile } = await build({ ...common, ...options, metafile: true, write: false })
  for (const { path, text } of outputFiles) {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, /\brequire\b/.test(text) ? makeRequire + text : text)
  }
  return metafile
}

rmSync(dist, { recursive: true, force: true })
const plugins = [separatePackages, lateModules]
const sources = [
  await emit({ entryPoints: [commandLine], plugins }),
  await emit({ entryPoints: workerModules, splitting: true, plugins }),
]
const lazy = await emit({
  entryPoints: [...lazyPackages].map(([path, name]) => ({ in: path, out: `packages/${name}` })),
  splitting: true,
  plugins: [namedExports, lateModules],
})
const metafiles = [...sources, lazy]
const inputs = Object.assign({}, ...metafiles.map((metafile) => metafile.inputs)) as Metafile['inputs']
const outputs = Object.assign({}, ...metafiles.map((metafile) => metafile.outputs)) as Metafile['outputs']

const packages = bundledPackages(inputs)
writeFileSync(join(dist, 'THIRD-PARTY-NOTICES.txt'), `${notices(packages)}\n`)
for (const file of Object.keys(outputs)) {
  if (!/^dist\/[^/]+\/[^/]+$/.test(file)) throw new Error(`${file} is not one folder below dist/`)
}
for (const entry of [commandLine, ...workerModules]) {
  const file = join(dist, entry.replace(/\.ts$/, '.js'))
  if (!existsSync(file)) throw new Error(`${relative(root, file)} was not made`)
}
const bytes = Object.values(outputs).reduce((sum, output) => sum + output.bytes, 0)
console.log(
  `dist/: ${Object.keys(outputs).length} files, ${(bytes / 1024).toFixed(0)} KiB, with ${[...packages.keys()].sort().join(' ')}`,
)
