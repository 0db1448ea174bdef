/** The audit log as commands read it: whole, in pages, by filter; its keys; exported files. Prints nothing. */
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import {
  beginningFault,
  type ExportedEntry,
  type ExportHead,
  exportFaults,
  isExportedEntry,
  isExportHead,
} from '../engine/audit/export.ts'
import { publicKeyOf, publicKeyPattern } from '../engine/audit/key.ts'
import type { AuditContent, AuditEntry } from '../engine/audit/log.ts'
import { type AuditFault, auditFaults, type Verify } from '../engine/audit/verify.ts'
import { DagctlError } from '../engine/errors.ts'
import type { Json } from '../engine/json.ts'
import type { Store } from '../engine/store/store.ts'

/** Which entries. */
export interface AuditFilter {
  readonly run?: string
  readonly who?: string
  readonly what?: string
}

/** Whether an entry is one of those that are asked for. */
export function isChosen({ run, who, what }: AuditFilter): (entry: AuditContent) => boolean {
  return (entry) =>
    (run === undefined || entry.subject.run === run) &&
    (who === undefined || entry.who === who) &&
    (what === undefined || entry.what === what)
}

/** Entries that are read at a time. */
const page = 10_000

/** Every entry, in order. */
export async function* entriesOf(store: Store): AsyncGenerator<AuditEntry> {
  for (let after = 0; ; ) {
    const some = await store.auditEntries(after, page)
    yield* some
    const last = some.at(-1)
    if (last === undefined) return
    after = last.seq
  }
}

/** Public keys by their ids: those beside the store's files, or the one that is named (absolute). Throws E504 and E203. */
export function keysOf(
  data: string,
  named: string | null,
): ReadonlyMap<string, ReturnType<typeof publicKeyOf>> {
  const files = named === null ? publicKeysIn(data) : [named]
  return new Map(
    files.map((path) => {
      const key = publicKeyOf(textOf(path), path)
      return [key.id, key]
    }),
  )
}

function publicKeysIn(data: string): readonly string[] {
  try {
    return readdirSync(data)
      .filter((name) => publicKeyPattern.test(name))
      .map((name) => join(data, name))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** What checking came to. */
export interface Verified {
  readonly faults: readonly AuditFault[]
  readonly entries: number
}

/** Checks the store's whole log. @param since an earlier export that it must go on from */
export async function verifyStore(store: Store, verify: Verify, since: ExportHead | null): Promise<Verified> {
  const { entries, heads } = await store.auditLog()
  const faults = auditFaults(entries, heads, verify)
  const beginning = since === null ? null : beginningFault(since, entries)
  const message = beginning === null ? [] : [{ kind: 'removed', chain: null, message: beginning } as const]
  return { faults: [...faults, ...message], entries: entries.length }
}

/** Checks an exported file. */
export function verifyExport(file: string, cwd: string, verify: Verify): Verified {
  const { head, lines } = readExport(file, cwd)
  const faults = exportFaults(head, lines, verify).map(
    (message) => ({ kind: 'altered', chain: null, message }) as const,
  )
  return { faults, entries: lines.length }
}

/** An exported file. Throws E202 or E203 where it cannot be read, E206 where it is none. */
export function readExport(
  file: string,
  cwd: string,
): { readonly head: ExportHead; readonly lines: readonly ExportedEntry[] } {
  const [first = '', ...rest] = textOf(resolve(cwd, file)).trimEnd().split('\n')
  return {
    head: parsed(first, isExportHead, { file, number: 1 }),
    lines: rest.map((line, place) => parsed(line, isExportedEntry, { file, number: place + 2 })),
  }
}

function parsed<Line>(
  line: string,
  is: (value: Json) => value is Line & Json,
  { file, number }: { readonly file: string; readonly number: number },
): Line {
  let value: Json
  try {
    value = JSON.parse(line)
  } catch {
    throw notAnExport(file, number)
  }
  if (!is(value)) throw notAnExport(file, number)
  return value
}

function notAnExport(file: string, line: number): DagctlError {
  return new DagctlError('E206', `${file}:${line} is no line of an exported audit log`, {
    kind: 'usage',
    hint: '`dagctl audit export` makes one',
  })
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new DagctlError(code === 'ENOENT' ? 'E202' : 'E203', `cannot read ${path}: ${message}`, {
      kind: 'usage',
      cause: error,
    })
  }
}
