/** The files that a pipeline is made of: its own, and those that its tasks `use`. Finds cycles; knows nothing of what is in a task. */
import { type Parsed, parse } from './parse.ts'
import { type Complaint, Report } from './report.ts'
import { maxBytes, type Source } from './source.ts'
import { quote } from './words.ts'

/** Why a file cannot be used. */
export interface Unreadable {
  readonly why: string
}

/** Reads the file that `use: PATH` means in the file `from`. */
export type Load = (path: string, from: Source) => Promise<Source | Unreadable>

/** One file of a pipeline. */
export interface SourceFile {
  readonly source: Source
  readonly parsed: Parsed
  readonly report: Report
  /** Whether it is made for others: they `use` it, or it has `inputs` or `outputs`. */
  readonly forUse: boolean
  /** By the ids of its tasks with `use`: the file of each. Where that cannot be used, the task is missing, and reported. */
  readonly uses: ReadonlyMap<string, SourceFile>
  /** How many files are nested in it, itself included. */
  readonly height: number
  /** Characters of the file with all that it uses, as JSON. */
  readonly size: number
}

/** How deeply files may be nested: enough for people; far from the end of the stack. */
export const maxNesting = 20

type Mapping = { readonly [key: string]: unknown }

/** Reads all files of a pipeline, each once. What uses another stands behind it, so the pipeline's own file is the last. */
export async function readFiles(source: Source, load: Load | undefined): Promise<readonly SourceFile[]> {
  const reading = new Reading(load)
  await reading.read(source, [])
  return reading.files
}

/** What tells one file from another. */
function idOf({ id, file }: Source): string {
  return id ?? file
}

class Reading {
  readonly files: SourceFile[] = []
  readonly #load: Load | undefined
  readonly #known = new Map<string, SourceFile>()

  constructor(load: Load | undefined) {
    this.#load = load
  }

  /** @param above the files that lead here, from the pipeline's own */
  async read(source: Source, above: readonly Source[]): Promise<SourceFile> {
    const parsed = parse(source)
    const report = new Report(parsed)
    const { value = {} } = parsed
    const chain = [...above, source]
    const uses = new Map<string, SourceFile>()
    let [height, size] = [1, above.length === 0 ? parsed.positions.text.length : JSON.stringify(value).length]
    const loaded = new Map<string, Promise<Source | Unreadable>>()
    for (const [id, path] of usesIn(value)) {
      if (!loaded.has(path)) loaded.set(path, this.#loaded(path, source))
      const found = (await loaded.get(path)) as Source | Unreadable
      const file = 'why' in found ? unreadable(path, found) : await this.#use(found, chain, size)
      if ('code' in file) report.atValue(['tasks', id, 'use'], file)
      else {
        uses.set(id, file)
        height = Math.max(height, file.height + 1)
        size += file.size
      }
    }
    const forUse = above.length > 0 || Object.hasOwn(value, 'inputs') || Object.hasOwn(value, 'outputs')
    const file = { source, parsed, report, forUse, uses, height, size }
    this.#known.set(idOf(source), file)
    this.files.push(file)
    return file
  }

  /**
   * The file, read once; or what is wrong with using it.
   * @param size what the file that uses it has so far
   */
  async #use(source: Source, chain: readonly Source[], size: number): Promise<SourceFile | Complaint> {
    const start = chain.findIndex((file) => idOf(file) === idOf(source))
    if (start !== -1) return { code: 'E181', message: cycleOf([...chain.slice(start), source]) }
    const known = this.#known.get(idOf(source))
    const tooDeep: Complaint = { code: 'E182', message: `files are nested more than ${maxNesting} deep` }
    if (chain.length + (known?.height ?? 1) > maxNesting) return tooDeep
    const file = known ?? (await this.read(source, chain))
    return size + file.size > maxBytes ? tooLarge : file
  }

  async #loaded(path: string, from: Source): Promise<Source | Unreadable> {
    return this.#load ? this.#load(path, from) : { why: 'no other files can be read here' }
  }
}

const tooLarge: Complaint = {
  code: 'E182',
  message: 'with all the files that it uses, the pipeline is larger than 32 MiB',
}

function unreadable(path: string, { why }: Unreadable): Complaint {
  return { code: 'E180', message: `cannot use ${quote(path)}: ${why}` }
}

function cycleOf(files: readonly Source[]): string {
  const names = files.map(({ file }) => file)
  return names.length === 2
    ? `the file ${quote(names[0] ?? '')} uses itself`
    : `files use each other: ${names.map((name) => quote(name)).join(' -> ')}`
}

/** The tasks with `use`, and its text. */
function usesIn({ tasks }: Mapping): readonly (readonly [string, string])[] {
  if (typeof tasks !== 'object' || tasks === null || Array.isArray(tasks)) return []
  const found: [string, string][] = []
  for (const id in tasks) {
    const task = (tasks as Mapping)[id]
    const use = typeof task === 'object' && task !== null ? (task as Mapping).use : undefined
    if (typeof use === 'string') found.push([id, use])
  }
  return found
}

/** The file as one value: each `use` is the value of the file that it means. */
export function inlinedValue({ parsed, uses }: SourceFile): unknown {
  const value = parsed.value as Mapping
  if (uses.size === 0) return value
  const tasks = { ...(value.tasks as Mapping) }
  for (const [id, file] of uses) tasks[id] = { ...(tasks[id] as Mapping), use: inlinedValue(file) }
  return { ...value, tasks }
}
