/**
 * Opens a file as UTF-8 bytes: unpacks gzip and zstd, converts UTF-16 that has a byte order mark, drops UTF-8's.
 * Knows nothing of lines or records.
 */
import { once } from 'node:events'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { OperatorFailure, type TaskContext } from '../../plugins/api.ts'

/**
 * The decoded bytes of a file from `offset` (of the decoded bytes) on. What is neither packed nor converted is read
 * from there at once. Throws `data_corruption` where it cannot be unpacked, and what `task.objects.open` throws.
 */
export async function* openDecoded(
  task: TaskContext,
  uri: string,
  offset = 0,
): AsyncGenerator<Uint8Array, void, void> {
  const stream = await task.objects.open(uri)
  const head = await peek(stream)
  const unpacker = unpackerOf(head)
  const unpacked = unpacker ? pipeline(stream, unpacker, () => {}) : stream
  const encoding = encodingOf(unpacker ? await guarded(uri, () => peek(unpacked)) : head)
  if (!unpacker && !encoding.converter && offset > 0) {
    stream.destroy()
    // The mark stands before every offset but 0.
    yield* bytesOf(await task.objects.open(uri, { start: offset + encoding.mark }), uri, 0)
    return
  }
  const decoded = encoding.converter ? pipeline(unpacked, encoding.converter, () => {}) : unpacked
  yield* bytesOf(decoded, uri, offset + (encoding.converter ? 0 : encoding.mark))
}

/** A stream's chunks but for its first `skip` bytes. */
async function* bytesOf(stream: Readable, uri: string, skip: number): AsyncGenerator<Uint8Array, void, void> {
  let left = skip
  const chunks = stream[Symbol.asyncIterator]()
  try {
    for (;;) {
      const { done, value } = await guarded(uri, () => chunks.next())
      if (done) return
      const chunk = value as Uint8Array
      if (left >= chunk.length) left -= chunk.length
      else yield left > 0 ? chunk.subarray(left) : chunk
      if (left < chunk.length) left = 0
    }
  } finally {
    stream.destroy()
  }
}

/** The first bytes of a stream, which it still has afterwards. Empty at the end of an empty stream. */
async function peek(stream: Readable): Promise<Uint8Array> {
  for (;;) {
    const chunk = stream.read() as Uint8Array | null
    if (chunk) {
      stream.unshift(chunk)
      return chunk
    }
    if (stream.readableEnded || stream.destroyed) return new Uint8Array()
    await Promise.race([once(stream, 'readable'), once(stream, 'end')])
  }
}

const begins = (head: Uint8Array, ...magic: number[]) => magic.every((byte, i) => head[i] === byte)

/** By content, not by name: RFC 1952 (gzip), RFC 8878 (zstd). */
function unpackerOf(head: Uint8Array): Transform | null {
  if (begins(head, 0x1f, 0x8b)) return createGunzip()
  if (begins(head, 0x28, 0xb5, 0x2f, 0xfd)) return createZstdDecompress()
  return null
}

/** By the byte order mark (Unicode, section 23.8); without one it is UTF-8. */
function encodingOf(head: Uint8Array): { readonly mark: number; readonly converter: Transform | null } {
  if (begins(head, 0xef, 0xbb, 0xbf)) return { mark: 3, converter: null }
  if (begins(head, 0xff, 0xfe)) return { mark: 2, converter: converterFrom('utf-16le') }
  if (begins(head, 0xfe, 0xff)) return { mark: 2, converter: converterFrom('utf-16be') }
  return { mark: 0, converter: null }
}

function converterFrom(encoding: string): Transform {
  const decoder = new TextDecoder(encoding, { fatal: true })
  return new Transform({
    transform(chunk, _, done) {
      try {
        done(null, Buffer.from(decoder.decode(chunk, { stream: true })))
      } catch {
        done(new Error(`it is not valid ${encoding.toUpperCase()}, as its byte order mark says`))
      }
    },
    flush(done) {
      try {
        done(null, Buffer.from(decoder.decode()))
      } catch {
        done(new Error(`its last character is not whole (${encoding.toUpperCase()})`))
      }
    },
  })
}

async function guarded<T>(uri: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof OperatorFailure) throw error
    const { code = '', message } = error as NodeJS.ErrnoException
    const damaged = code.startsWith('Z_') || code.startsWith('ZSTD') || code === ''
    const kind = damaged ? 'data_corruption' : 'invalid_input'
    throw new OperatorFailure(kind, `cannot read ${uri}: ${message}; fetch or write the file again`, {
      cause: error,
    })
  }
}
