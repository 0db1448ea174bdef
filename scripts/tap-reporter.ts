/** How `npm test` speaks: one line per test file, the failures whole, the counts last. Knows nothing of dagctl. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { Transform, type TransformCallback } from 'node:stream'
import { Parser, type Result } from 'tap-parser'

/** The last line of a run, for `.ci/run`. */
const summaryFile = '.tap/summary.txt'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** A stream that takes TAP and gives text; tap loads it by its path (`reporter` in .taprc). */
export default class TestReporter extends Transform {
  readonly #parser = new Parser()
  readonly #total: Counts = { passed: 0, failed: 0, skipped: 0 }

  constructor() {
    super()
    this.#parser.on('child', (file: Parser) => this.#watchFile(file))
  }

  override _transform(chunk: Buffer, encoding: BufferEncoding, done: TransformCallback): void {
    this.#parser.write(chunk, encoding)
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#parser.on('complete', () => {
      const { passed, failed, skipped } = this.#total
      const line = `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`
      mkdirSync('.tap', { recursive: true })
      writeFileSync(summaryFile, line)
      done(null, `\n${line}`)
    })
    this.#parser.end()
  }

  /** A file's own results are its tests; what they hold are assertions, which matter only when they fail. */
  #watchFile(file: Parser): void {
    const counts: Counts = { passed: 0, failed: 0, skipped: 0 }
    const details: string[] = []
    const omissions = omissionsOf(file)
    file.on('assert', (test: Result) => {
      const { all, reasons } = omissions.get(test.name) ?? { all: false, reasons: [] }
      const skipped = Boolean(test.skip || test.todo) || (test.ok && all)
      const why = typeof test.skip === 'string' ? [test.skip] : reasons
      if (skipped || why.length > 0) {
        const because = why.length > 0 ? ` (${why.join('; ')})` : ''
        details.push(`  ${skipped ? 'skipped' : 'partly skipped'}: ${test.name}${because}`)
      }
      if (skipped) counts.skipped++
      else if (test.ok) counts.passed++
      else counts.failed++
    })
    collectFailures(file, [], details)
    this.#parser.once('assert', (result: Result) => {
      // A file can fail without a failed test: it crashed, ran out of time or had no tests.
      if (!result.ok && counts.failed === 0) {
        counts.failed = 1
        details.push(indent(describe(result)))
      }
      if (result.skip) counts.skipped++
      for (const key of ['passed', 'failed', 'skipped'] as const) this.#total[key] += counts[key]
      const tests = counts.passed + counts.failed + counts.skipped
      const seconds = ((result.time ?? 0) / 1000).toFixed(1)
      this.push(
        `${result.ok ? 'ok  ' : 'FAIL'} ${file.name}  ${tests} test${tests === 1 ? '' : 's'}, ${seconds} s\n`,
      )
      if (details.length > 0) this.push(`${details.join('\n')}\n`)
    })
  }
}

/** What was left out inside a test, and whether that is all that the test would have done. */
interface Omissions {
  readonly reasons: readonly string[]
  readonly all: boolean
}

/** A test that asserts nothing but that it skips has been skipped, although TAP calls it passed. */
function omissionsOf(file: Parser): ReadonlyMap<string, Omissions> {
  const found = new Map<string, Omissions>()
  file.on('child', (test: Parser) => {
    const reasons: string[] = []
    let asserted = 0
    test.on('assert', (result: Result) => {
      asserted++
      if (result.skip) reasons.push(typeof result.skip === 'string' ? result.skip : result.name)
      if (reasons.length > 0) found.set(test.name, { reasons, all: reasons.length === asserted })
    })
  })
  return found
}

function collectFailures(parser: Parser, path: readonly string[], into: string[]): void {
  const own: Parser[] = []
  parser.on('child', (child: Parser) => {
    own.push(child)
    collectFailures(child, [...path, child.name], into)
  })
  parser.on('assert', (result: Result) => {
    if (result.ok || result.skip || result.todo) return
    // The failure of a subtest was told by what failed in it.
    if (own.some((child) => child.name === result.name && child.fail > 0)) return
    into.push(`  FAILED ${[...path, result.name].join(' > ')}`, indent(describe(result)))
  })
}

function describe({ diag }: Result): string {
  if (!diag) return ''
  const { diff, error, stack, at, exitCode, signal, found, wanted, doNotWant, timeout, ...rest } = diag
  const place = at?.fileName ? `${at.fileName}:${at.lineNumber}` : ''
  const known = {
    error,
    exitCode,
    signal,
    timeout,
    ...(diff ? {} : { found, wanted, doNotWant }),
    message: rest.message,
  }
  const facts = Object.entries(known).flatMap(([name, fact]) =>
    fact === undefined || fact === null
      ? []
      : [`${name}: ${typeof fact === 'string' ? fact : JSON.stringify(fact)}`],
  )
  return [place, ...facts, diff, stack].filter((part) => part).join('\n')
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '      ')
}
