/** Takes what this process prints, line by line, so that it can be attributed to an attempt. Knows nothing of attempts. */
import { StringDecoder } from 'node:string_decoder'

/** Longest line that is gathered before it is passed on, characters. */
const longest = 64 * 1024

type Stream = 'stdout' | 'stderr'

/** Passes each printed line to `take` instead of the descriptor. `flush` passes unfinished lines. */
export function captureOutput(take: (stream: Stream, line: string) => void): { flush(): void } {
  const flushes = (['stdout', 'stderr'] as const).map((name) => {
    const decoder = new StringDecoder('utf8')
    let pending = ''
    const write = (chunk: Uint8Array | string, encoding?: unknown, written?: unknown): boolean => {
      pending += typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk))
      const lines = pending.split('\n')
      pending = lines.pop() ?? ''
      if (pending.length > longest) lines.push(pending)
      if (pending.length > longest) pending = ''
      for (const line of lines) take(name, line)
      const callback = typeof encoding === 'function' ? encoding : written
      if (typeof callback === 'function') process.nextTick(callback as () => void)
      return true
    }
    process[name].write = write as typeof process.stdout.write
    return () => {
      if (pending !== '') take(name, pending)
      pending = ''
    }
  })
  const flush = () => {
    for (const one of flushes) one()
  }
  return { flush }
}
