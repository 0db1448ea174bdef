/** What a thrown error is to the person at the terminal: an exit and a few lines. Knows no command. */
import { DagctlError, type ErrorKind, exits } from '../engine/errors.ts'
import { isColourful, type Terminal } from './terminal.ts'

/** A file that has errors: they were found, and stand in `report` as people read them. */
export class InvalidFile extends DagctlError {
  readonly report: string
  readonly problems: readonly object[]

  constructor(code: 'E301' | 'E302', message: string, report: string, problems: readonly object[]) {
    super(code, message, { kind: 'invalid' })
    this.report = report
    this.problems = problems
  }
}

/** A pipeline that does not compile. */
export class InvalidPipeline extends InvalidFile {
  constructor(file: string, report: string, problems: readonly object[]) {
    super('E301', `${file} is not a valid pipeline`, report, problems)
  }
}

const exitOf: { readonly [kind in ErrorKind]: number } = {
  usage: exits.usage,
  invalid: exits.invalid,
  failed: exits.failed,
  infrastructure: exits.infrastructure,
  bug: exits.bug,
}

/** Errors of the system that no program can mend: the disk, its rights, the lack of something. */
const infrastructure: ReadonlySet<string> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EROFS',
  'EACCES',
  'EPERM',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EAGAIN',
  'ENOTDIR',
  'EEXIST',
  'ELOOP',
  'ENAMETOOLONG',
])

/** Prints the error and gives the exit. With `json`, standard output gets a document `{ "error": … }`. */
export function fail(error: unknown, terminal: Terminal, json: boolean): number {
  const known = toKnown(error)
  const { out, err, env } = terminal
  const red = isColourful(err, env) ? (text: string) => `\u001b[31m${text}\u001b[39m` : (text: string) => text
  if (known instanceof InvalidFile) err.write(`${known.report}\n`)
  else {
    const place = known.at === undefined ? '' : `${known.at.file}:${known.at.line}:${known.at.column} `
    err.write(`${place}${red('error')} ${known.code} ${known.message}\n`)
    if (known.hint !== undefined) err.write(`  ${known.hint}\n`)
  }
  if (env.DAGCTL_DEBUG === '1' && error instanceof Error) err.write(`${stackOf(error)}\n`)
  if (json) out.write(`${JSON.stringify({ error: documentOf(known) }, null, 2)}\n`)
  return exitOf[known.kind]
}

/** Any error as one of ours: what nobody foresaw is a bug. */
function toKnown(error: unknown): DagctlError {
  if (error instanceof DagctlError && error.kind !== 'bug') return error
  const message = error instanceof Error ? error.message : String(error)
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  if (typeof code === 'string' && infrastructure.has(code)) {
    const hint =
      code === 'ENOSPC' || code === 'EDQUOT'
        ? 'the disk is full: make room and run the same command again, nothing is lost'
        : 'look at the disk, and at the rights of the folder'
    return new DagctlError('E504', message, { kind: 'infrastructure', hint, cause: error })
  }
  return new DagctlError(error instanceof DagctlError ? error.code : 'E700', `${message} (a bug in dagctl)`, {
    kind: 'bug',
    hint: 'run the same with DAGCTL_DEBUG=1 and report what it prints, please',
    cause: error,
  })
}

function documentOf(error: DagctlError): object {
  const { code, kind, message, hint = null } = error
  const problems = error instanceof InvalidFile ? { problems: error.problems } : {}
  return { code, kind, message, hint, ...problems }
}

function stackOf(error: Error): string {
  const { stack = error.message, cause } = error
  return cause instanceof Error ? `${stack}\ncaused by ${stackOf(cause)}` : stack
}
