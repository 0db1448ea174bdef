/** Operating system errors in plain words, and the failure kind that each one means. Knows nothing of who meets them. */
import { type FailureKind, OperatorFailure } from './api.ts'

/** Error codes of Node's net, dns and tls that mean: the network or the other side, not the input. */
const network = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_NODATA',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'ENETUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
])

const words: { readonly [code: string]: string } = {
  ENOENT: 'it does not exist',
  EACCES: 'permission denied',
  EPERM: 'the operation is not permitted',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is not a folder',
  ELOOP: 'it is a symbolic link, or a loop of them',
  ENOSPC: 'the disk is full; free space and run it again',
  EDQUOT: 'the disk quota is used up; free space and run it again',
  EFBIG: 'the file would be larger than the system allows',
  EROFS: 'the file system is read-only',
  EIO: 'the disk reports an input/output error',
  EMFILE: 'too many files are open (raise `ulimit -n`)',
  ENFILE: 'too many files are open on this machine',
  ENAMETOOLONG: 'its name is too long',
  ENOTEMPTY: 'the folder is not empty',
  EEXIST: 'it exists already',
}

/** The `code` of an error, its cause included (fetch hides it there); undefined where it has none. */
export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { code } = error as NodeJS.ErrnoException
  if (typeof code === 'string') return code
  return error.cause === undefined ? undefined : errorCode(error.cause)
}

/** The failure kind of an error code: `network`, `oom` (ENOMEM), `invalid_input` (an address that is refused), or undefined where the code alone says nothing. */
export function kindOfCode(code: string | undefined): FailureKind | undefined {
  if (code === undefined) return undefined
  if (network.has(code)) return 'network'
  if (code === 'ERR_ADDRESS_REFUSED') return 'invalid_input'
  return code === 'ENOMEM' ? 'oom' : undefined
}

/**
 * What went wrong with a file, as a failure that names it.
 * @param kind `invalid_input` for an input, `user` for whatever is written
 * @param doing what was tried: `cannot read`, `cannot write`
 */
export function fileFailure(error: unknown, kind: FailureKind, doing: string, path: string): OperatorFailure {
  if (error instanceof OperatorFailure) return error
  const code = errorCode(error)
  const why = code === undefined ? String(error) : `${words[code] ?? (error as Error).message} (${code})`
  return new OperatorFailure(kindOfCode(code) ?? kind, `${doing} ${path}: ${why}`, { cause: error })
}
