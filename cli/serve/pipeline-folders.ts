/**
 * The pipelines of watched folders: what is new, changed, broken or gone since the last look. Keeps no pipeline, only
 * which file holds which; knows no store.
 */
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { Pipeline } from '../../engine/pipeline.ts'
import { Compiler } from '../compiler.ts'
import { stampAt } from '../file-stamp.ts'
import type { Settings } from '../settings.ts'
import { type Listing, listFiles } from './pipeline-files.ts'
import type { Watched } from './watch-folders.ts'

/** What a look found. `file` is absolute. */
export interface Finds {
  /** A file's pipeline, new or in a new version. */
  holds(file: string, pipeline: Pipeline): Promise<void>
  /** A file that does not compile; `keeps` is the pipeline whose last good version stays in force. */
  broken(file: string, report: string, keeps: string | null): Promise<void>
  /** A broken file was mended without a change to what it held. */
  mended(file: string, pipeline: string): Promise<void>
  /** A file with a pipeline that another file has already. */
  double(file: string, pipeline: string, other: string): Promise<void>
  /** A pipeline whose file is gone, or holds another one now. */
  gone(file: string, pipeline: string): Promise<void>
  /** A folder cannot be read: what was in it stays in force. */
  unreadable(error: Error): Promise<void>
  /** What to watch. */
  watched(watched: Watched): void
}

interface File {
  stamp: string
  /** The pipeline that it holds, or held when it was last good. */
  name: string | null
  version: string | null
  /** Another file has this pipeline. */
  doubleOf: string | null
  /** The other files that its pipeline is made of, with their stamps from before they were read. */
  uses: ReadonlyMap<string, string>
  isPipeline: boolean
  isBroken: boolean
}

/** Folders whose pipelines are looked after. */
export class PipelineFolders {
  readonly #roots: readonly string[]
  readonly #except: string
  readonly #cwd: string
  readonly #compiler: Compiler
  readonly #finds: Finds
  readonly #files = new Map<string, File>()
  #unreadable: string | null = null

  /** The data folder is not looked into. */
  constructor(roots: readonly string[], { data, installation }: Settings, cwd: string, finds: Finds) {
    this.#roots = roots
    this.#except = data
    this.#cwd = cwd
    this.#compiler = new Compiler({
      cwd,
      installation: { resources: installation.resources, env: installation.env },
    })
    this.#finds = finds
  }

  /** Looks what is different, and tells. */
  async look(): Promise<void> {
    const listing = await this.#list()
    if (listing === null) return
    const used = this.#used()
    this.#finds.watched({ folders: listing.folders, files: [...used] })
    const stamps = await stampsOf(used)
    const changed = [...listing.files].filter(([path, stamp]) => this.#isOther(path, stamp, stamps))
    const gone = [...this.#files.keys()].filter((path) => !listing.files.has(path))
    if (changed.length + gone.length === 0) return
    try {
      for (const path of gone) await this.#leave(path)
      for (const [path, stamp] of changed) await this.#read(path, stamp)
      await this.#settleDoubles(listing)
    } finally {
      this.#compiler.rest()
    }
    // What is used for the first time was read before it was watched.
    if ([...this.#used()].some((path) => !used.has(path))) await this.look()
  }

  /** All files that pipelines are made of besides their own. */
  #used(): ReadonlySet<string> {
    return new Set([...this.#files.values()].flatMap(({ uses }) => [...uses.keys()]))
  }

  /** Whether a file, or one that its pipeline uses, is another one than when it was read. */
  #isOther(path: string, stamp: string, stamps: ReadonlyMap<string, string>): boolean {
    const file = this.#files.get(path)
    return file?.stamp !== stamp || [...file.uses].some(([used, before]) => stamps.get(used) !== before)
  }

  /** Takes a file to have held a pipeline when it was last good, before it is read for the first time. */
  remember(path: string, name: string): void {
    this.#files.set(path, { ...unread, name, isPipeline: true })
  }

  async #list(): Promise<Listing | null> {
    try {
      const listing = await listFiles(this.#roots, this.#except)
      this.#unreadable = null
      return listing
    } catch (error) {
      const { message } = error as Error
      if (this.#unreadable !== message) await this.#finds.unreadable(error as Error)
      this.#unreadable = message
      return null
    }
  }

  async #leave(path: string): Promise<void> {
    const file = this.#files.get(path)
    this.#files.delete(path)
    if (file?.name != null) await this.#finds.gone(path, file.name)
  }

  async #read(path: string, stamp: string): Promise<void> {
    const file = this.#files.get(path) ?? { ...unread }
    this.#files.set(path, file)
    file.stamp = stamp
    let text: string
    try {
      text = await readFile(path, 'utf8')
    } catch {
      // Gone since it was listed, or not ours to read: the next look tells.
      file.stamp = ''
      return
    }
    file.isPipeline = isPipelineText(text) || (file.isPipeline && !isPart(text))
    if (!file.isPipeline) {
      if (file.name !== null) await this.#finds.gone(path, file.name)
      Object.assign(file, { name: null, version: null, doubleOf: null, uses: new Map() })
      return
    }
    await this.#compile(path, file)
  }

  async #compile(path: string, file: File): Promise<void> {
    const shown = relative(this.#cwd, path)
    const { pipeline, report, uses } = await this.#compiler.compile(shown.startsWith('..') ? path : shown)
    if (uses !== null) file.uses = new Map(uses)
    const wasBroken = file.isBroken
    Object.assign(file, { doubleOf: null, isBroken: pipeline === null })
    if (pipeline === null) return this.#finds.broken(path, report, file.name)
    const other = this.#holderOf(pipeline.name, path)
    if (other !== null) {
      if (file.name !== null) await this.#finds.gone(path, file.name)
      Object.assign(file, { name: null, version: null, doubleOf: pipeline.name })
      return this.#finds.double(path, pipeline.name, other)
    }
    if (file.name === pipeline.name && file.version === pipeline.version)
      return wasBroken ? this.#finds.mended(path, pipeline.name) : undefined
    const before = file.name
    await this.#finds.holds(path, pipeline)
    if (before !== null && before !== pipeline.name) await this.#finds.gone(path, before)
    Object.assign(file, { name: pipeline.name, version: pipeline.version })
  }

  #holderOf(name: string, but: string): string | null {
    for (const [path, file] of this.#files) if (path !== but && file.name === name) return path
    return null
  }

  /** A file that was second to another is read again once the other has gone, or holds something else. */
  async #settleDoubles({ files }: Listing): Promise<void> {
    for (const [path, { doubleOf }] of this.#files) {
      const stamp = files.get(path)
      if (doubleOf !== null && stamp !== undefined && this.#holderOf(doubleOf, path) === null)
        await this.#read(path, stamp)
    }
  }
}

const unread: File = {
  stamp: '',
  name: null,
  version: null,
  doubleOf: null,
  uses: new Map(),
  isPipeline: false,
  isBroken: false,
}

async function stampsOf(paths: Iterable<string>): Promise<ReadonlyMap<string, string>> {
  return new Map(await Promise.all(Array.from(paths, async (path) => [path, await stampAt(path)] as const)))
}

/** Whether a text is meant as a pipeline of its own: parts that others use have inputs, other YAML is somebody else's. */
function isPipelineText(text: string): boolean {
  return hasKey(text, 'dagctl') && hasKey(text, 'tasks') && !isPart(text)
}

function isPart(text: string): boolean {
  return hasKey(text, 'dagctl') && hasKey(text, 'inputs')
}

function hasKey(text: string, key: string): boolean {
  return new RegExp(`^["']?${key}["']?\\s*:`, 'm').test(text)
}
