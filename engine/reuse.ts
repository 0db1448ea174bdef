/** Results that later runs may reuse: looked up before a task starts, kept when it succeeds. Knows no states of runs. */
import type { Fingerprint } from './cache.ts'
import type { Clock } from './clock.ts'
import type { JsonObject } from './json.ts'
import type { LiveRun } from './live-run.ts'
import type { Node } from './node.ts'
import type { RunWrite } from './store/batch.ts'
import type { Store } from './store/store.ts'

/** Outputs that an earlier run made of the same inputs. */
export interface Reusable {
  readonly run: string
  readonly outputs: JsonObject
}

/** What a look for reusable outputs came to. */
export interface Looked {
  readonly key: string
  readonly found: Reusable | null
}

/** The cache of one engine's tasks. */
export class Reuse {
  readonly #store: Store
  readonly #fingerprint: Fingerprint
  readonly #clock: Clock
  /** Keys of tasks that run: what they come to is kept under these. */
  readonly #keys = new Map<Node, string>()

  constructor(store: Store, fingerprint: Fingerprint, clock: Clock) {
    this.#store = store
    this.#fingerprint = fingerprint
    this.#clock = clock
  }

  /** What can be reused for a task with `cache`, and the key by which it, or else its own result, is known; null: neither. */
  async lookUp(
    run: LiveRun,
    node: Node,
    start: { readonly input: JsonObject; readonly env: { readonly [name: string]: string } },
  ): Promise<Looked | null> {
    const { uses: name, version, cache } = run.task(node)
    const operator = { name, version }
    const cwd = run.record.folder
    const key = await this.#fingerprint.key({
      operator,
      input: start.input,
      env: start.env,
      cwd,
      files: cache?.files ?? [],
    })
    if (key === null) return null
    const ttl = cache?.ttl ?? null
    const found = await this.#store.cached(key, ttl === null ? 0 : this.#clock.now() - ttl)
    const intact = found !== null && (await this.#fingerprint.intact(operator, found.outputs, cwd))
    return { key, found: intact ? found : null }
  }

  /** The task's result is kept under this key when it succeeds. */
  keep(node: Node, key: string): void {
    this.#keys.set(node, key)
  }

  /** What the run's tasks that ended since the last call leave for later runs. */
  take(run: LiveRun): NonNullable<RunWrite['cache']> {
    const kept: { key: string; task: string; outputs: JsonObject }[] = []
    if (this.#keys.size === 0) return kept
    for (const node of run.changed) {
      const key = this.#keys.get(node)
      if (key === undefined || node.endedAt === null) continue
      this.#keys.delete(node)
      // By its own work: what a person says of it is no result.
      if (run.hasChanged(node, 'succeed'))
        kept.push({ key, task: run.task(node).id, outputs: node.outputs as JsonObject })
    }
    return kept
  }

  /** Forgets the tasks of a run that is no longer ours. */
  forget(run: LiveRun): void {
    for (const node of this.#keys.keys()) if (run.nodes[node.index] === node) this.#keys.delete(node)
  }
}
