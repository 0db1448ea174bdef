/** Events that wake sleeping tasks before their time: changed files, updated datasets, ended runs. Decides nothing. */
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { WakeOn } from './outcome.ts'

/** Calls `changed` when something changes at a path; gives what ends it. Where nobody can watch, it never calls. */
export type Watch = (path: string, changed: () => void) => () => void

interface Sleeper {
  readonly run: LiveRun
  readonly on: WakeOn
  readonly unwatch: readonly (() => void)[]
}

/** The sleepers of one engine. */
export class Wakers {
  readonly #watch: Watch
  readonly #wake: (run: LiveRun, node: Node) => void
  readonly #sleepers = new Map<Node, Sleeper>()
  readonly #byDataset = new Map<string, Set<Node>>()
  readonly #byRun = new Map<string, Set<Node>>()

  constructor(watch: Watch | undefined, wake: (run: LiveRun, node: Node) => void) {
    this.#watch = watch ?? (() => () => {})
    this.#wake = wake
  }

  /** Listens for what the sleeping node wants to be woken by, or no longer, as its `wakeOn` says. */
  set(run: LiveRun, node: Node): void {
    this.clear(node)
    const { wakeOn } = node
    if (node.state !== 'sleeping' || wakeOn === null) return
    const unwatch = (wakeOn.paths ?? []).map((path) => this.#watch(path, () => this.#wake(run, node)))
    this.#sleepers.set(node, { run, on: wakeOn, unwatch })
    for (const uri of wakeOn.datasets ?? []) enter(this.#byDataset, uri, node)
    for (const id of wakeOn.runs ?? []) enter(this.#byRun, id, node)
  }

  clear(node: Node): void {
    const sleeper = this.#sleepers.get(node)
    if (sleeper === undefined) return
    this.#sleepers.delete(node)
    for (const stop of sleeper.unwatch) stop()
    for (const uri of sleeper.on.datasets ?? []) leave(this.#byDataset, uri, node)
    for (const id of sleeper.on.runs ?? []) leave(this.#byRun, id, node)
  }

  /** Forgets a run that is no longer ours. */
  forget(run: LiveRun): void {
    for (const node of run.nodes) this.clear(node)
  }

  datasetUpdated(uri: string): void {
    this.#wakeAll(this.#byDataset.get(uri))
  }

  runEnded(id: string): void {
    this.#wakeAll(this.#byRun.get(id))
  }

  /** Runs whose ends somebody waits for. */
  get runs(): readonly string[] {
    return [...this.#byRun.keys()]
  }

  /** Whether anybody waits for a dataset. */
  get waitsForDatasets(): boolean {
    return this.#byDataset.size > 0
  }

  #wakeAll(nodes: ReadonlySet<Node> | undefined): void {
    for (const node of [...(nodes ?? [])]) {
      const run = this.#sleepers.get(node)?.run
      if (run !== undefined) this.#wake(run, node)
    }
  }
}

function enter(index: Map<string, Set<Node>>, name: string, node: Node): void {
  const nodes = index.get(name)
  if (nodes === undefined) index.set(name, new Set([node]))
  else nodes.add(node)
}

function leave(index: Map<string, Set<Node>>, name: string, node: Node): void {
  const nodes = index.get(name)
  nodes?.delete(node)
  if (nodes?.size === 0) index.delete(name)
}
