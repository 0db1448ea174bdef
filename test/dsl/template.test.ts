import fc from 'fast-check'
import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import { helpers, isTemplate, parseTemplate, TemplateError } from '../../dsl/template.ts'
import type { Json } from '../../engine/json.ts'
import { errorsOf } from '../support/compiled.ts'
import { scopeWith } from '../support/scope.ts'

const scope = scopeWith({
  params: {
    n: 3,
    rate: 0.5,
    yes: true,
    name: 'Ada',
    list: [1, 'x'],
    options: { a: { b: [10, 20] } },
    nothing: null,
  },
  tasks: {
    done: { state: 'succeeded', outputs: { rows: 5, path: '/data/out/part-1.jsonl/' } },
    gone: { state: 'failed', outputs: null },
  },
})
const evaluator = createEvaluator()
const render = (value: Json) => evaluator.render(value, scope)

t.test('a whole `{{ }}` keeps the type of its value, inside a longer string it is text', async (t) => {
  const cases: readonly [string, Json][] = [
    ['{{ params.n }}', 3],
    ['{{params.n}}', 3],
    ['n={{ params.n }}', 'n=3'],
    [' {{ params.n }}', ' 3'],
    ['{{ params.yes }}', true],
    ['{{ params.list }}', [1, 'x']],
    ['{{ params.nothing }}', null],
    ['{{ default params.options.a.b.0.c 5 }}', 5],
    ['{{ params.options.a.b.[1] }}', 20],
    ['{{ tasks.done.outputs.rows }}/{{ tasks.gone.state }}', '5/failed'],
    ['{{ run.id }}-{{ run.interval.start }}', 'r1-2026-03-28T23:00:00.000Z'],
    ['{{ "literal" }}{{ 1 }}{{ true }}', 'literal1true'],
    ['<{{ params.name }}> & "{{ params.name }}"', '<Ada> & "Ada"'],
    ['\\{{ params.n }}', '{{ params.n }}'],
    ['no template }}', 'no template }}'],
  ]
  for (const [text, expected] of cases) t.strictSame(render(text), expected, text)
})

t.test('templates are resolved at every depth, keys and other values stay', async (t) => {
  t.strictSame(render({ a: [{ b: '{{ params.n }}' }, 7, null], c: 'x' }), { a: [{ b: 3 }, 7, null], c: 'x' })
})

t.test('the helpers', async (t) => {
  const cases: readonly [string, Json][] = [
    ["{{ date run.interval.start 'yyyy-MM-dd HH:mm xxx' }}", '2026-03-29 00:00 +01:00'],
    ['{{ date run.interval.end "EEE d MMM yyyy \'at\' H" }}', 'Mon 30 Mar 2026 at 0'],
    ["{{ date '2021-01-03' 'YYYY-ww e DDD Q' }}", '2020-53 7 003 1'],
    // A day later the clock shows the same, although the day had 23 hours.
    ['{{ addDays run.interval.start 1 }}', '2026-03-29T22:00:00.000Z'],
    ["{{ addDays '2026-03-01' -1 }}", '2026-02-28'],
    ['{{ half params.n }}', 1],
    ['{{ half 1 }}', 1],
    ['{{ half params.rate }}', 0.25],
    ["{{ default params.none 'x' }}", 'x'],
    ["{{ default params.nothing 'x' }}", 'x'],
    ["{{ default tasks.gone.outputs.rows 'x' }}", 'x'],
    ["{{ default (upper tasks.gone.outputs.rows) 'x' }}", 'x'],
    ['{{ default params.n 9 }}', 3],
    ['{{ json params.options }}', '{"a":{"b":[10,20]}}'],
    ["{{ join params.list '+' }}", '1+x'],
    ['{{ join params.list }}', '1,x'],
    ['{{ lower params.name }}{{ upper params.name }}', 'adaADA'],
    ['{{ basename tasks.done.outputs.path }}', 'part-1.jsonl'],
    // By sha256sum.
    ['{{ hash params.name }}', '99a563ab2f6e21e96998f9fddd2a2bab82b70ac019579502b8d7fc0032ff62bb'],
  ]
  for (const [text, expected] of cases) t.strictSame(render(text), expected, text)
})

t.test('a path must resolve, and what it cannot be is said', async (t) => {
  const cases: readonly [string, string, RegExp][] = [
    ['{{ params.none }}', 'E160', /`params` has no `none`/],
    ['{{ tasks.gone.outputs.rows }}', 'E160', /`tasks.gone.outputs` is null/],
    ['{{ tasks.other.outputs }}', 'E160', /no task `other`/],
    ['{{ params.name.length }}', 'E160', /`params.name` has no `length`/],
    ['{{ params.list.length }}', 'E160', /has no `length`/],
    ['{{ params.list.[01] }}', 'E160', /has no `01`/],
    ['{{ params.list.0 }}', 'E130', /cannot be read/],
    ['x{{ params.list }}', 'E162', /a list cannot stand inside/],
    ['x{{ params.nothing }}', 'E162', /null; use `default`/],
    ['{{ upper params.n }}', 'E162', /takes a string here, not an integer/],
    ["{{ date params.name 'yyyy' }}", 'E162', /cannot read `Ada` as a time/],
    ['{{ date run.id params.name }}', 'E162', /date pattern/],
  ]
  for (const [text, code, message] of cases)
    t.throws(() => render(text), { code, message, kind: 'failed' }, text)
})

t.test('no path reaches a prototype', async () => {
  const names = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
    'length',
    'valueOf',
  ]
  const path = fc
    .tuple(
      fc.constantFrom(
        'params',
        'run',
        'tasks.done.outputs',
        'tasks.done',
        'tasks',
        'params.list',
        'params.name',
        'params.options',
      ),
      fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    )
    .map(([root, rest]) => [root, ...rest].join('.'))
  fc.assert(
    fc.property(
      path,
      fc.constantFrom('{{ PATH }}', '{{ json PATH }}', "{{ default PATH 'none' }}"),
      (path, text) => {
        try {
          return render(text.replace('PATH', path)) === 'none'
        } catch (error) {
          return (error as { code?: string }).code === 'E160'
        }
      },
    ),
  )
})

t.test('a key of a value that is named like a prototype is a value like others', async (t) => {
  const own = JSON.parse('{"__proto__": {"polluted": 1}, "constructor": 2}') as Json
  const result = evaluator.render(
    { a: '{{ params.own.constructor }}', b: own },
    scopeWith({ params: { own } }),
  ) as { a: Json; b: object }
  t.equal(result.a, 2)
  t.ok(Object.hasOwn(result.b, '__proto__'))
  t.equal(({} as { polluted?: unknown }).polluted, undefined)
})

t.test('what is no path, literal or helper is refused', async (t) => {
  const refused = [
    '{{#if a}}x{{/if}}',
    '{{> p}}',
    '{{* d}}',
    '{{!-- c --}}',
    '{{{ a }}}',
    '{{& a}}',
    '{{~ a}}',
    '{{ ../a }}',
    '{{ this }}',
    '{{ this.a }}',
    '{{ @root }}',
    '{{ a/b }}',
    '{{ undefined }}',
    '{{ lookup a b }}',
    '{{ log a }}',
    '{{ each a }}',
    '{{ a b }}',
    '{{ date a b=1 }}',
    '{{ (upper "a") }}',
    '{{',
    '{{ }}',
    '{{ a',
    '{{ "a }}',
    '{{else}}',
    '{{^}}',
  ]
  for (const text of refused) t.throws(() => parseTemplate(text), { code: /^E13[01]$/ }, text)
})

t.test('parsing either gives a template or a TemplateError inside the text, whatever the text', async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '{{',
      '}}',
      '{{{',
      '}}}',
      '(',
      ')',
      ' ',
      'a',
      '.',
      'date',
      "'x'",
      '"',
      '[',
      ']',
      '#',
      '/',
      '>',
      '&',
      '~',
      '\n',
      '\\',
      '|',
      'as',
      '@',
      '=',
      '1',
    ),
    fc.string({ maxLength: 3 }),
  )
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 20 }).map((parts) => parts.join('')),
      (text) => {
        try {
          return parseTemplate(text).parts.length >= 0
        } catch (error) {
          return (
            error instanceof TemplateError &&
            error.span.start >= 0 &&
            error.span.end <= text.length &&
            error.span.start <= error.span.end
          )
        }
      },
    ),
    { numRuns: 500 },
  )
})

t.test('text without braces is itself', async () => {
  fc.assert(
    fc.property(
      fc.string().filter((text) => !isTemplate(text)),
      (text) => render(text) === text,
    ),
  )
})

t.test('types of helpers and paths are checked before anything runs', async (t) => {
  const params =
    'params: { n: { type: integer, default: 1 }, s: { type: string, default: x }, l: { type: array, default: [] } }\n'
  const of = (text: string) =>
    errorsOf(`${params}tasks:\n  a: { uses: Noop, with: { outputs: { x: ${JSON.stringify(text)} } } }`)
  t.strictSame(await of('{{ upper params.n }}'), [
    'E131 the helper `upper` takes a string here, not an integer',
  ])
  t.strictSame(await of("{{ date params.s 'yyyy-QX' }}"), [
    'E131 the date pattern `yyyy-QX` has an unknown field `X`',
  ])
  t.strictSame(await of('{{ join params.s }}'), ['E131 the helper `join` takes a list here, not a string'])
  t.strictSame(await of('x {{ params.l }}'), ['E132 a list cannot stand inside a longer string'])
  t.strictSame(await of('{{ params.s.x }}'), ['E122 `params.s` has no `x`: it is a string'])
  t.strictSame(await of('{{ params.l.x }}'), [
    'E122 `params.l` has no `x`: it is a list: it has items by number',
  ])
  t.strictSame(await of('{{ params.none }}'), ['E122 unknown parameter `none`'])
  t.strictSame(await of("{{ default params.none 'x' }} {{ default params.s.x 'x' }}"), [])
  t.strictSame(await of("{{ default parms.s 'x' }}"), ['E122 unknown name `parms`'])
  t.strictSame(await of('{{ params.l.[0] }} {{ upper (json params.l) }} {{ half params.n }}'), [])
})

t.test('every helper says how it is used by an example that parses', async (t) => {
  for (const { usage } of Object.values(helpers)) t.doesNotThrow(() => parseTemplate(usage), usage)
})

t.test('a `{{` that is not closed is named at its place, whatever stands before it', async (t) => {
  const cases: readonly [string, number, number][] = [
    ['{{ params.n', 0, 11],
    ['hello {{ run.id }} and {{ params.n', 23, 34],
    ['hello {{ run.id and {{ params.n }}', 6, 20],
    ["{{ default params.n '}}' }} {{ upper '}}'", 28, 41],
    ['one {{ run.id }}\n\\{{ two {{ params.n }', 25, 38],
  ]
  for (const [text, start, end] of cases)
    t.throws(
      () => parseTemplate(text),
      { code: 'E130', message: 'a `{{` is not closed', span: { start, end } },
      text,
    )
  t.throws(() => parseTemplate("{{ a b' }} {{ run.id }}"), {
    message: /^the template `{{ a b' }}` cannot be read/,
  })
})
