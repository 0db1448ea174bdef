/** The only file that chooses the concrete store, queue, runtimes, operators and languages. Everything is loaded when asked for. */
import { existsSync } from 'node:fs'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Fingerprint } from '../engine/cache.ts'
import type { Engine } from '../engine/engine.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Report } from '../engine/report.ts'
import type { RunFolders } from '../engine/retention.ts'
import type { Store } from '../engine/store/store.ts'
import type { Wake } from '../engine/wake.ts'
import { keepHeapSmall } from './heap.ts'
import { manifests } from './manifest-digest.ts'
import { ownVersion } from './package.ts'
import { provenanceOf } from './provenance.ts'
import type { Settings } from './settings.ts'
import type { Terminal } from './terminal.ts'

/** Opens the store, and makes it where it is not there. */
export async function openStore({ store, data }: Settings): Promise<Store> {
  const [{ openSqlite }, { signerIn }] = await Promise.all([
    import('../engine/store/sqlite.ts'),
    import('../engine/audit/key.ts'),
  ])
  let signer: ReturnType<typeof signerIn> | undefined
  return openSqlite({
    path: store,
    signer: () => {
      signer ??= signerIn(data)
      return signer
    },
  })
}

/** Lends the store to work that only reads: where none was made yet, an empty one that leaves nothing behind. */
export async function reading<Result>(
  settings: Settings,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(existsSync(settings.store) ? settings : { ...settings, store: ':memory:' })
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** Lends the store to work that changes it. */
export async function changing<Result>(
  settings: Settings,
  work: (store: Store) => Promise<Result>,
): Promise<Result> {
  const store = await openStore(settings)
  try {
    return await work(store)
  } finally {
    await store.close()
  }
}

/** An engine on this machine: local queue, inline and process runtimes. Not started yet. */
export async function makeEngine(
  settings: Settings,
  store: Store,
  terminal: Terminal,
  report: (report: Report) => void,
): Promise<Engine> {
  keepHeapSmall()
  const { clock, random, env } = terminal
  const [engine, queue, inline, process, host, catalogue, evaluator, fingerprint, identity, watch, services] =
    await Promise.all([
      import('../engine/engine.ts'),
      import('../engine/queue/local.ts'),
      import('../engine/runtime/inline.ts'),
      import('../engine/runtime/process.ts'),
      import('../plugins/host.ts'),
      import('../operators/catalogue.ts'),
      import('../dsl/evaluator.ts'),
      import('../plugins/fingerprint.ts'),
      import('../engine/identity.ts'),
      import('../engine/file-watch.ts'),
      import('./engine-services.ts'),
    ])
  const operators = host.operatorsOf(catalogue.builtin)
  const runner = new host.Host(
    operators,
    services.servicesOf({ store, engine: () => made, terminal, settings }),
  )
  const worker = {
    module: neighbour('plugins/worker'),
    args: ['--catalogue', neighbourUrl('operators/catalogue')],
  }
  const { resources, env: allowed, slots } = settings.installation
  const made = new engine.Engine({
    data: settings.data,
    store: await mortal(store, env),
    queue: new queue.LocalQueue({
      runtimes: {
        inline: new inline.InlineRuntime(runner, clock),
        process: new process.ProcessRuntime({ host: runner, clock, worker }),
      },
      slots,
    }),
    evaluator: evaluator.createEvaluator(),
    fingerprint: fingerprint.fingerprintOf(operators, ownVersion()),
    clock,
    random,
    identity: identity.ownIdentity(),
    isGone: identity.isGone,
    wake: await bellOf(settings),
    watch: watch.fileWatch(clock),
    report,
    provenance: provenanceOf,
    manifest: manifests(store, settings.store, visible(env, allowed)),
    resources,
    env: visible(env, allowed),
  })
  return made
}

/** The store as an engine writes to it: in a test of crashes the process dies at a commit. */
async function mortal(store: Store, { DAGCTL_FAILPOINT: words }: Terminal['env']): Promise<Store> {
  if (words === undefined || words === '') return store
  const { withFailpoint } = await import('./failpoint.ts')
  return withFailpoint(store, words, () => process.kill(process.pid, 'SIGKILL'))
}

/** The variables of the environment that pipelines may read, as far as they are set. */
export function visible(
  env: Terminal['env'],
  allowed: readonly string[],
): { readonly [name: string]: string } {
  return Object.fromEntries(allowed.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])))
}

/** Fingerprints of the built-in operators' work, as every engine here takes them. */
export async function fingerprintOf(): Promise<Fingerprint> {
  const [host, catalogue, fingerprint] = await Promise.all([
    import('../plugins/host.ts'),
    import('../operators/catalogue.ts'),
    import('../plugins/fingerprint.ts'),
  ])
  return fingerprint.fingerprintOf(host.operatorsOf(catalogue.builtin), ownVersion())
}

/** The bell of the data folder: rung after a request was written. */
export async function bellOf({ data }: Settings): Promise<Wake> {
  const { fileWake } = await import('../engine/wake.ts')
  return fileWake(join(data, 'wake'))
}

/** The folders of runs in the data folder. */
export async function runFoldersOf({ data }: Settings): Promise<RunFolders> {
  const { runFolders } = await import('../engine/run-folders.ts')
  return runFolders(data)
}

/** The error for a run that the store does not know. */
export function noSuchRun(id: string): DagctlError {
  return new DagctlError('E205', `there is no run ${id}`, { kind: 'usage', hint: 'see `dagctl runs list`' })
}

/** A module of ours, in the sources as in dist/. */
function neighbourUrl(name: string): string {
  return new URL(`../${name}${extname(import.meta.url)}`, import.meta.url).href
}

function neighbour(name: string): string {
  return fileURLToPath(neighbourUrl(name))
}
