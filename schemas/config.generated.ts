/** dagctl.yaml, as TypeScript sees it. Generated from config.schema.json by generate.ts: do not edit. */

export type Rate = number
/**
 * A duration: `12h`, `30d`, or ISO 8601 such as `P2W`.
 */
export type Duration = string

/**
 * dagctl.yaml, version 1: the settings of an installation. Everything has a default; none is needed.
 */
export interface ConfigFile {
  /**
   * The version of this format.
   */
  dagctl?: 1
  /**
   * The data folder, relative to this file. `--data` wins. Without both: `.dagctl` in the working folder.
   */
  data?: string
  /**
   * Where the state is kept: `sqlite:PATH`, relative to this file. `--store` and `DAGCTL_STORE` win. Without them: in the data folder.
   */
  store?: string
  /**
   * Slots that tasks of all pipelines share, by the name that `pool:` of a task uses. A pool that is not named here has no limit.
   */
  pools?: {
    [k: string]: Pool
  }
  rates?: Rates
  /**
   * Names of environment variables that pipelines may read as `env.NAME`. Their values are those of the process that runs the engine; one that is not set is absent.
   */
  env?: string[]
  slots?: Slots
  retention?: Retention
  /**
   * Operators from outside.
   */
  plugins?: {
    [k: string]: unknown
  }
  /**
   * Where alerts and notifications go.
   */
  notifiers?: {
    [k: string]: unknown
  }
}
/**
 * A pool.
 */
export interface Pool {
  /**
   * How many slots it has.
   */
  slots: number
  /**
   * How many GPUs one slot stands for, in budgets.
   */
  gpus?: number
}
/**
 * What an hour costs, in US dollars: what `budget` counts with.
 */
export interface Rates {
  /**
   * One core.
   */
  cpu?: number
  /**
   * One GPU.
   */
  gpu?: number
  /**
   * One slot of a pool, by its name, on top of its cores and GPUs.
   */
  pools?: {
    [k: string]: Rate
  }
}
/**
 * How many attempts an engine of this machine runs at once.
 */
export interface Slots {
  /**
   * In processes. Default: twice the cores, at least 4.
   */
  process?: number
  /**
   * In the engine's own process.
   */
  inline?: number
}
/**
 * How long things are kept. Without a limit: for ever.
 */
export interface Retention {
  runs?: Kept
  /**
   * A duration: `12h`, `30d`, or ISO 8601 such as `P2W`.
   */
  logs?: string
  /**
   * A duration: `12h`, `30d`, or ISO 8601 such as `P2W`.
   */
  events?: string
  /**
   * A duration: `12h`, `30d`, or ISO 8601 such as `P2W`.
   */
  artifacts?: string
  /**
   * A duration: `12h`, `30d`, or ISO 8601 such as `P2W`.
   */
  checkpoints?: string
}
/**
 * Runs that have ended, with all that belongs to them.
 */
export interface Kept {
  age?: Duration
  /**
   * Of each pipeline the newest so many.
   */
  count?: number
}
