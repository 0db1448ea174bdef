import fc from 'fast-check'
import t from 'tap'
import { icao, luhn, mod11And10, mod97, verhoeff } from '../../operators/data/pii/checksums.ts'
import { isBase58Address, isBech32Address } from '../../operators/data/pii/crypto.ts'
import { createDetect } from '../../operators/data/pii/detect.ts'
import { rewriteField } from '../../operators/data/pii/fields.ts'
import { disjoint } from '../../operators/data/pii/overlaps.ts'
import type { Span } from '../../operators/data/pii/span.ts'
import { type MaskOptions, maskWith } from '../../operators/data/pii/strategies.ts'
import { digitWindows } from '../../operators/data/pii/windows.ts'
import type { Json, JsonObject } from '../../plugins/api.ts'

const key = 'a key for tests only'
const masked = (type: string, value: string, options: Partial<MaskOptions>): string =>
  maskWith({ strategy: 'replace', strategies: {}, key, keepLast: 0, ...options })(value, [
    { start: 0, end: value.length, type, score: 1 },
  ])

t.test('a check digit finds every single wrong digit', async (t) => {
  const valid: readonly (readonly [string, (digits: string) => boolean])[] = [
    ['4012888888881881', luhn],
    ['399876543211', verhoeff],
    ['12345678903', mod11And10],
    ['1904300234573201102961', mod97],
  ]
  for (const [number, check] of valid) {
    t.ok(check(number), number)
    for (let at = 0; at < number.length; at++) {
      for (let digit = 0; digit <= 9; digit++) {
        const wrong = `${number.slice(0, at)}${digit}${number.slice(at + 1)}`
        if (wrong !== number) t.notOk(check(wrong), `${check.name} ${wrong}`)
      }
    }
  }
  t.ok(icao('C01234565'))
  t.notOk(icao('C01234566'))
})

t.test('wallet addresses of one case and one wrong character are refused', async (t) => {
  t.ok(isBase58Address('16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1BoyZ'))
  t.notOk(isBase58Address('16Yeky6GMjeNkAiNcBY7ZhrLoMSgg1Boyz'))
  t.ok(isBech32Address('bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'))
  t.ok(isBech32Address('BC1QAR0SRRR7XFKVY5L643LYDNW9RE59GTZZWF5MDQ'))
  t.notOk(isBech32Address('bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdp'))
  t.notOk(isBech32Address('bc1Qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq'))
})

const anySpans = fc.array(
  fc.record({
    start: fc.nat(60),
    length: fc.integer({ min: 1, max: 20 }),
    type: fc.constantFrom('A', 'B', 'C'),
    score: fc.constantFrom(0.3, 0.6, 0.85, 0.95),
  }),
  { maxLength: 12 },
)
const toSpans = (rows: { start: number; length: number; type: string; score: number }[]): Span[] =>
  rows.map(({ start, length, type, score }) => ({ start, end: start + length, type, score }))

t.test(
  'whatever overlaps, spans become disjoint, in order, and leave nothing found in the clear',
  async () => {
    const text = 'x'.repeat(80)
    fc.assert(
      fc.property(anySpans, (rows) => {
        const spans = toSpans(rows)
        const result = disjoint(text, spans, ['A', 'B'])
        const covered = new Set(
          result.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
        )
        const inOrder = result.every(({ start }, i) => i === 0 || start >= (result[i - 1] as Span).end)
        const missing = spans.flatMap(({ start, end }) => {
          const open = Array.from({ length: end - start }, (_, i) => start + i).filter(
            (at) => !covered.has(at),
          )
          // A single letter left over is no value.
          return open.filter((at) => open.includes(at + 1) || open.includes(at - 1))
        })
        return inOrder && missing.length === 0
      }),
    )
  },
)

t.test('the order in which detectors report changes nothing', async () => {
  const text = 'x'.repeat(80)
  fc.assert(
    fc.property(anySpans, (rows) => {
      const spans = toSpans(rows)
      const forward = JSON.stringify(disjoint(text, spans, ['A', 'B']))
      return forward === JSON.stringify(disjoint(text, [...spans].reverse(), ['A', 'B']))
    }),
  )
})

t.test('of two that overlap the surer wins, then the longer, then the first in order', async (t) => {
  const of = (...rows: [number, number, string, number][]) =>
    disjoint(
      'x'.repeat(20),
      rows.map(([start, end, type, score]) => ({ start, end, type, score })),
      ['A', 'B'],
    ).map(({ start, end, type }) => [start, end, type])
  t.strictSame(of([0, 9, 'A', 0.6], [0, 5, 'B', 0.95]), [
    [0, 5, 'B'],
    [5, 9, 'A'],
  ])
  t.strictSame(of([0, 5, 'A', 0.9], [0, 9, 'B', 0.85]), [[0, 9, 'B']])
  t.strictSame(of([0, 5, 'B', 0.85], [0, 5, 'A', 0.85]), [[0, 5, 'A']])
  t.strictSame(of([0, 5, 'A', 0.6], [3, 9, 'A', 0.6]), [[0, 9, 'A']])
})

t.test('each digit stands in one window, with all that is near it', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', ' ', '1', '2'), maxLength: 200 }), (text) => {
      const windows = digitWindows(text, 5)
      const total = windows.reduce((sum, { digits }) => sum + digits, 0)
      return (
        total === (text.match(/\d/g)?.length ?? 0) &&
        [...text].every(
          (char, at) =>
            !/\d/.test(char) ||
            windows.some(
              ({ start, end }) => start <= Math.max(0, at - 5) && end >= Math.min(text.length, at + 6),
            ),
        )
      )
    }),
  )
})

t.test('each strategy writes what it says', async (t) => {
  t.equal(masked('EMAIL_ADDRESS', 'jo@example.org', {}), '<EMAIL_ADDRESS>')
  t.equal(masked('EMAIL_ADDRESS', 'jo@example.org', { strategy: 'remove' }), '')
  t.equal(masked('EMAIL_ADDRESS', 'jo@example.org', { strategy: 'mask' }), '**@*******.***')
  t.equal(
    masked('CREDIT_CARD', '4012-8888-8888-1881', { strategy: 'mask', keepLast: 4 }),
    '****-****-****-1881',
  )
  t.equal(masked('US_SSN', '12-34', { strategy: 'mask', keepLast: 4 }), '**-*4', 'never more than a third')
  t.match(masked('US_SSN', '519-30-0137', { strategy: 'hash' }), /^<US_SSN:[\da-f]{32}>$/)
  t.equal(
    masked('US_SSN', '519-30-0137', { strategy: 'hash', strategies: { US_SSN: 'replace' } }),
    '<US_SSN>',
  )
})

t.test(
  'a keyed strategy gives one value one name, however it is written, and another under another key',
  async (t) => {
    for (const strategy of ['hash', 'pseudonymize'] as const) {
      const of = (value: string, own = key) =>
        masked('PHONE_NUMBER', value, { strategy, key: own }).replace(/\D/g, '')
      t.equal(of('+1 (415) 555-0132'), of('+1-415-555-0132'), strategy)
      t.not(of('+1 415 555 0132'), of('+1 415 555 0133'), strategy)
      t.not(of('+1 415 555 0132'), of('+1 415 555 0132', 'another key of tests'), strategy)
    }
  },
)

t.test('a pseudonym has the form of its value and belongs to nobody', async (t) => {
  const of = (type: string, value: string) => masked(type, value, { strategy: 'pseudonymize' })
  t.match(of('EMAIL_ADDRESS', 'jo@corp.com'), /^user-[a-z2-7]{10}@example\.com$/)
  t.match(of('URL', 'https://corp.com/x'), /^https:\/\/[a-z2-7]{10}\.example\.com$/)
  t.match(of('IP_ADDRESS', '8.8.8.8'), /^10(\.\d{1,3}){3}$/)
  t.match(of('IP_ADDRESS', '2400:c401::1'), /^2001:db8:/)
  t.match(of('MAC_ADDRESS', '00-1A-2B-3C-4D-5E'), /^02(-[\da-f]{2}){5}$/)
  t.match(of('DATE_OF_BIRTH', '05/13/1984'), /^(0[1-9]|1[0-2])\/(0[1-9]|1[0-2])\/19[3-9]\d$/)
  t.match(of('DATE_OF_BIRTH', 'March 5, 1984'), /^[A-Z][a-z]{2,8} [1-9], 19[3-9]\d$/)
  t.match(of('PHONE_NUMBER', '+1 (415) 555-0132'), /^\+[1-9] \(\d{3}\) \d{3}-\d{4}$/)
  t.match(of('DE_PASSPORT', 'C01x00T41'), /^[A-Z]\d\d[a-z]\d\d[A-Z]\d\d$/)
})

t.test('what was masked holds nothing of what was found', async (t) => {
  const detect = await createDetect()
  const text =
    'Jo, jo@example.org, +1 415 555 0132, card 4012 8888 8888 1881, GB29 NWBK 6016 1331 9268 19, at 8.8.8.8'
  const values = detect(text).map(({ start, end }) => text.slice(start, end))
  t.equal(values.length, 5)
  for (const strategy of ['replace', 'mask', 'hash', 'pseudonymize', 'remove'] as const) {
    const result = maskWith({ strategy, strategies: {}, key, keepLast: 0 })(text, detect(text))
    for (const value of values) t.notOk(result.includes(value), `${strategy} ${value}`)
    t.ok(result.startsWith('Jo, '))
  }
  const once = maskWith({ strategy: 'replace', strategies: {}, key: undefined, keepLast: 0 })(
    text,
    detect(text),
  )
  t.strictSame(detect(once), [], 'a masked text has nothing more to mask')
})

t.test(
  'a field is reached through objects and lists, and the record that was given stays as it is',
  async (t) => {
    const loud = (record: JsonObject, field: string) =>
      rewriteField(record, field, (text) => text.toUpperCase())
    const record: JsonObject = {
      id: 7,
      messages: [{ role: 'user', content: 'hi' }, { role: 'bot' }],
      'a.b': 'x',
      a: { b: 'y' },
    }
    const frozen = JSON.stringify(record)
    t.strictSame(loud(record, 'messages.content').record.messages, [
      { role: 'user', content: 'HI' },
      { role: 'bot' },
    ] as Json)
    t.strictSame(loud(record, 'a.b').record['a.b'], 'X', 'the name with the dot itself comes first')
    t.strictSame(loud(record, 'messages').record.messages, [
      { role: 'USER', content: 'HI' },
      { role: 'BOT' },
    ] as Json)
    t.equal(loud(record, 'id').record, record, 'what does not change is the same record')
    t.equal(loud(record, 'nothing').there, false)
    t.equal(JSON.stringify(record), frozen)
  },
)
