import fc from 'fast-check'
import t from 'tap'
import { formatDate, formatFault } from '../../dsl/date-format.ts'
import { nearest, quote } from '../../dsl/words.ts'
import { parseDuration } from '../../engine/duration.ts'
import { parseSize } from '../../engine/size.ts'
import pipelineSchema from '../../schemas/pipeline.schema.json' with { type: 'json' }

t.test('durations are milliseconds', async (t) => {
  const cases: readonly [string, number | null][] = [
    ['500ms', 500],
    ['30s', 30_000],
    ['1.5s', 1500],
    ['15m', 900_000],
    ['6h', 21_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['PT15M', 900_000],
    ['PT1H30M', 5_400_000],
    ['P1DT12H', 129_600_000],
    ['P2W', 1_209_600_000],
    ['PT0.5S', 500],
    ...[
      '',
      's',
      '5',
      '5 s',
      '-5s',
      '5S',
      '1h30m',
      'P',
      'PT',
      'P1Y',
      'P1M',
      'PT1H1D',
      '1e3s',
      '٣s',
      '9999999999999999d',
    ].map((text): [string, null] => [text, null]),
  ]
  for (const [text, expected] of cases) t.equal(parseDuration(text), expected, text)
})

t.test('sizes are bytes', async (t) => {
  const cases: readonly [string, number | null][] = [
    ['512B', 512],
    ['16GB', 16e9],
    ['80GiB', 80 * 1024 ** 3],
    ['1.5MiB', 1_572_864],
    ['2kB', 2000],
    ['2KiB', 2048],
    ['1TB', 1e12],
    ...['', '80', '80G', 'GiB', '80gib', '-1GB', '1 GB', '1iB', '99999PiB'].map((text): [string, null] => [
      text,
      null,
    ]),
  ]
  for (const [text, expected] of cases) t.equal(parseSize(text), expected, text)
})

t.test('the patterns of the schema take what the parsers take, but for what no number can hold', async () => {
  const patternOf = (name: 'duration' | 'size') => new RegExp(pipelineSchema.$defs[name].pattern, 'u')
  const piece = fc.constantFrom(
    'P',
    'T',
    'W',
    'D',
    'H',
    'M',
    'S',
    'ms',
    's',
    'm',
    'h',
    'd',
    'B',
    'k',
    'K',
    'G',
    'i',
    '1',
    '20',
    '0.5',
    '.',
    '-',
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 6 }).map((parts) => parts.join('')),
      (text) => {
        const inBytes = text.replace(/[A-Za-z]+$/, 'B')
        return (
          patternOf('duration').test(text) === (parseDuration(text) !== null) &&
          (parseSize(text) === null || patternOf('size').test(text)) &&
          (!patternOf('size').test(text) || parseSize(text) !== null || parseSize(inBytes) !== null)
        )
      },
    ),
    { numRuns: 2000 },
  )
})

t.test('date patterns follow the letters of Unicode, in English', async (t) => {
  const time = { wall: Date.UTC(2026, 0, 5, 9, 8, 7, 6), offset: -19_800_000, timezone: 'X/Y' }
  t.equal(formatDate(time, "yyyy-MM-dd'T'HH:mm:ss.SSSxxx"), '2026-01-05T09:08:07.006-05:30')
  t.equal(
    formatDate(time, "yy M d H h a EEEE MMMM 'o''clock' '' VV"),
    "26 1 5 9 9 AM Monday January o'clock ' X/Y",
  )
  t.equal(formatDate({ ...time, offset: 0 }, 'XXX D ww'), 'Z 5 02')
  t.equal(formatFault("yyyy-MM-dd'T'HH"), null)
  t.match(formatFault('yyyy-mm-Dd q'), { message: /unknown field `q`/ })
  t.match(formatFault('YYY'), { hint: 'did you mean `yyyy`?' })
  t.match(formatFault("yyyy'T"), { message: /quote/ })
})

t.test('the week of ISO 8601 is right at the ends of years', async (t) => {
  const weekOf = (year: number, month: number, day: number) =>
    formatDate({ wall: Date.UTC(year, month - 1, day), offset: 0, timezone: 'UTC' }, "YYYY-'W'ww-e")
  t.strictSame(
    [
      weekOf(2005, 1, 1),
      weekOf(2007, 12, 31),
      weekOf(2008, 12, 29),
      weekOf(2010, 1, 3),
      weekOf(2020, 12, 31),
    ],
    ['2004-W53-6', '2008-W01-1', '2009-W01-1', '2009-W53-7', '2020-W53-4'],
  )
})

t.test('what was probably meant is near, and nothing is guessed from afar', async (t) => {
  const names = ['needs', 'trigger', 'timeout', 'tags', 'tasks', 'load', 'Shell']
  const cases: readonly [string, string | undefined][] = [
    ['neds', 'needs'],
    ['taks', 'tasks'],
    ['laod', 'load'],
    ['shell', 'Shell'],
    ['tiemout', 'timeout'],
    ['x', undefined],
    ['xyz', undefined],
    ['loop', undefined],
    ['retries', undefined],
  ]
  for (const [name, expected] of cases) t.equal(nearest(name, names), expected, name)
})

t.test('names in sentences are short and cannot act on a terminal', async (t) => {
  t.equal(quote('a\u001b[31m\u202eb'), '`a\\u001b[31m\\u202eb`')
  t.equal(quote('x'.repeat(100)).length, 82)
})
