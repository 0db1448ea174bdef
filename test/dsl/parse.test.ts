import fc from 'fast-check'
import t from 'tap'
import { compile } from '../../dsl/compile.ts'
import { maxDepth, parse } from '../../dsl/parse.ts'
import { format } from '../../dsl/problems.ts'
import { builtinCatalogue } from '../support/catalogue.ts'

const codesOf = (text: string | Uint8Array) =>
  parse({ text, file: 'x.yaml' }).problems.map(({ code, line, column }) => `${line}:${column} ${code}`)
const placeOf = (text: string, path: readonly (string | number)[]) => {
  const { start, end } = parse({ text, file: 'x.yaml' }).positions.value(path)
  return text.slice(start, end)
}

t.test('a byte order mark is not part of the text, and places count without it', async (t) => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...new TextEncoder().encode('a: 1\na: 2\n')])
  t.strictSame(codesOf(bytes), ['2:1 E105'])
  t.strictSame(codesOf('\ufeffa: 1\na: 2\n'), ['2:1 E105'])
})

t.test('lines may end in LF, CRLF or both', async (t) => {
  t.strictSame(codesOf('a: 1\r\nb: 2\nc: 3\r\na: 4\r\n'), ['4:1 E105'])
})

t.test('columns count in UTF-16 units', async (t) => {
  t.strictSame(codesOf('{ "😀": 1, a: 1, a: 2 }'), ['1:18 E105'])
})

t.test('the first byte that is not UTF-8 is found wherever it is', async () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }).map((text) => text.replace(/[\ud800-\udfff\ufeff]/g, '')),
      fc.string({ unit: 'grapheme' }),
      (before, after) => {
        const start = new TextEncoder().encode(before)
        const bytes = new Uint8Array([...start, 0xff, ...new TextEncoder().encode(after)])
        return (
          parse({ text: bytes, file: 'x' }).problems[0]?.message ===
          `the file is not UTF-8: byte 0xFF at offset ${start.length}`
        )
      },
    ),
  )
})

t.test('nesting is allowed to its limit and refused beyond it', async (t) => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  t.strictSame(codesOf(`a: ${nested(50)}`), [])
  t.match(codesOf(`a: ${nested(maxDepth + 1)}`), [/E106$/])
})

t.test('an alias is the value of its anchor, and errors in it point to the anchor', async (t) => {
  const text = 'base: &base { n: 1 }\nuse: *base\n'
  t.strictSame(parse({ text, file: 'x' }).value, { base: { n: 1 }, use: { n: 1 } })
  t.equal(placeOf(text, ['use', 'n']), '1')
})

t.test('many small aliases are fine, few large ones may not be', async (t) => {
  const small = `a: &a x\nlist: [${Array(10_000).fill('*a').join(', ')}]\n`
  t.strictSame(codesOf(small), [])
  const large = `a: &a ${'x'.repeat(1_000_000)}\nlist: [${Array(40).fill('*a').join(', ')}]\n`
  t.match(codesOf(large), [/E107$/])
})

t.test('what is missing has the place of what it is missing in', async (t) => {
  t.equal(placeOf('a: { b: [x, y] }', ['a', 'b', 1]), 'y')
  t.equal(placeOf('a: { b: [x, y] }', ['a', 'b', 7]), 'b')
})

t.test('a part of a string is found however the string is written', async (t) => {
  const at = (yaml: string) => {
    const { positions, value } = parse({ text: yaml, file: 'x' })
    const text = value?.a as string
    const start = text.indexOf('HERE')
    const span = positions.inside(['a'], { start, end: start + 4 })
    return [span.start, yaml.slice(span.start, span.end)]
  }
  for (const yaml of [
    'a: say HERE',
    'a: "say HERE"',
    "a: 'say HERE'",
    'a: "say \\"x\\" HERE"',
    'a: |\n  say\n  HERE\n',
    'a: >-\n  say\n  HERE\n',
    'a: say\n  HERE',
  ])
    t.strictSame(at(yaml), [yaml.indexOf('HERE'), 'HERE'], yaml)
})

t.test(
  'a problem prints its sentence, its line and its marks; long lines are cut, odd characters shown as dots',
  async (t) => {
    const problem = {
      severity: 'error',
      code: 'E110',
      message: 'wrong',
      file: 'a.yaml',
      line: 2,
      column: 3,
      length: 4,
      hint: 'did you mean `x`?',
    } as const
    t.equal(
      format(problem, 'one\n\tab\u0007d ef\nthree'),
      'a.yaml:2:3 error E110 wrong\n    2 | \tab·d ef\n      | \t ^^^^ did you mean `x`?',
    )
    t.equal(format({ ...problem, line: 9, hint: null }, 'one'), 'a.yaml:9:3 error E110 wrong')
    t.equal(format(problem, null), 'a.yaml:2:3 error E110 wrong\n      = did you mean `x`?')
    const [, line = '', marks = ''] = format(
      { ...problem, line: 1, column: 5001 },
      `${'x'.repeat(5000)}HERE${'y'.repeat(5000)}`,
    ).split('\n')
    t.ok(line.length < 200)
    t.equal(line.slice(marks.indexOf('^'), marks.lastIndexOf('^') + 1), 'HERE')
  },
)

const yamlish = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        'a',
        ': ',
        '\n',
        '  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '"',
        "'",
        '&x ',
        '*x',
        '!t ',
        '#',
        '|',
        '>',
        '? ',
        ',',
        '%',
        '---\n',
        '{{',
        '}}',
        'tasks:\n',
        'dagctl: 1\n',
        '\t',
        '\0',
        '<<: ',
        'uses: Noop',
        'run: ',
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 40 },
  )
  .map((parts) => parts.join(''))

t.test('whatever the text is, it gives problems or a value and throws nothing', async () => {
  await fc.assert(
    fc.asyncProperty(yamlish, async (text) => {
      const { pipeline, problems } = await compile({ text, file: 'x.yaml' }, builtinCatalogue)
      return (
        (pipeline === null) === problems.some(({ severity }) => severity === 'error') &&
        problems.every(
          (problem) =>
            problem.line >= 1 &&
            problem.column >= 1 &&
            problem.length >= 1 &&
            format(problem, text).length > 0,
        )
      )
    }),
    { numRuns: 300 },
  )
})

t.test('whatever the bytes are, they give problems or a value and throw nothing', async () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (text) =>
      Array.isArray(parse({ text, file: 'x' }).problems),
    ),
  )
})

const anyJson = fc.jsonValue({ maxDepth: 4 })
const fileish = fc.record(
  {
    dagctl: fc.constant(1),
    pipeline: fc.constant('p'),
    tasks: fc.dictionary(
      fc.constantFrom('a', 'b', 'c'),
      fc.oneof(
        anyJson,
        fc.record(
          {
            uses: fc.oneof(fc.constant('Noop'), fc.constant('Shell'), anyJson),
            with: anyJson,
            needs: anyJson,
            when: anyJson,
            gate: anyJson,
            retry: anyJson,
            cache: anyJson,
            env: anyJson,
            timeout: anyJson,
            trigger: anyJson,
            runtime: anyJson,
            foreach: anyJson,
          },
          { requiredKeys: [] },
        ),
      ),
    ),
    params: anyJson,
    schedule: anyJson,
    defaults: anyJson,
  },
  { requiredKeys: ['dagctl', 'pipeline', 'tasks'] },
)

t.test('whatever values stand at the keys of the format, compiling throws nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fileish, async (file) => {
      const { pipeline, problems } = await compile(
        { text: JSON.stringify(file), file: 'x.yaml' },
        builtinCatalogue,
      )
      return (pipeline === null) === problems.some(({ severity }) => severity === 'error')
    }),
    { numRuns: 300 },
  )
})
