/** The files that a pipeline is made of: its own, and those that its tasks `use`. Finds cycles; knows nothing of what is in a task. */
import { type Parsed, parse } from './parse.ts'
import { Report } from './report.ts'
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
    const uses = new Map<string, SourceFile>()
    const loaded = new Map<string, Promise<Source | Unreadable>>()
    let [height, size] = [1, above.length === 0 ? parsed.positions.text.length : JSON.stringify(value).length]
    for (const [id, path] of usesIn(value)) {
      const refuse = (code: 'E180' | 'E181' | 'E182', message: string, hint: string | null = null) =>
        report.atValue(['tasks', id, 'use'], { code, message, hint })
      if (!loaded.has(path)) loaded.set(path, this.#loaded(path, source))
      const found = (await loaded.get(path)) as Source | Unreadable
      if ('why' in found) {
        refuse('E180', `cannot use ${quote(path)}: ${found.why}`)
        continue
      }
      const chain = [...above, source]
      const start = chain.findIndex((file) => idOf(file) === idOf(found))
      if (start !== -1) {
        refuse('E181', cycleOf([...chain.slice(start), found]))
        continue
      }
      const file =
        this.#known.get(idOf(found)) ??
        (chain.length < maxNesting ? await this.read(found, chain) : undefined)
      if (file === undefined || chain.length + file.height > maxNesting) {
        refuse('E182', `files are nested more than ${maxNesting} deep`)
        continue
      }
      if (size + file.size > maxBytes) {
        refuse('E182', 'with all the files that it uses, the pipeline is larger than 32 MiB')
        continue
      }
      uses.set(id, file)
      height = Math.max(height, file.height + 1)
      size += file.size
    }
    const forUse = above.length > 0 || Object.hasOwn(value, 'inputs') || Object.hasOwn(value, 'outputs')
    const file = { source, parsed, report, forUse, uses, height, size }
    this.#known.set(idOf(source), file)
    this.files.push(file)
    return file
  }

  async #loaded(path: string, from: Source): Promise<Source | Unreadable> {
    return this.#load ? this.#load(path, from) : { why: 'no other files can be read here' }
  }
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
