// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${` is what a shell sees
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { createEvaluator } from '../../dsl/evaluator.ts'
import { shellPlaces } from '../../dsl/shell.ts'
import { scopeWith } from '../support/scope.ts'

const evaluator = createEvaluator()
const rendered = (command: string, value: string) =>
  (evaluator.render({ command }, scopeWith({ params: { value } }), ['/command']) as { command: string })
    .command
const printed = (command: string) => execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8' })

/** Commands that print the value between brackets, however it is quoted by their author. */
const commands = [
  "printf '[%s]' {{ params.value }}",
  'printf \'[%s]\' "{{ params.value }}"',
  "printf '[%s]' '{{ params.value }}'",
  'printf %s "[{{ params.value }}]"',
  "printf %s '['\"{{ params.value }}\"']'",
  "printf %s \"[$(printf '%sx' '{{ params.value }}')]\" | sed 's/x]$/]/'",
  'printf \'[%s]\' "$(printf %s "{{ params.value }}"; printf x)" | sed \'s/x]$/]/\'',
  "# a comment that is over\nprintf '[%s]' {{ params.value }}",
  "(cd / && printf '[%s]' {{ params.value }})",
  'X={{ params.value }}; printf \'[%s]\' "$X"',
]

/** What a shell would act on, and anything else without NUL. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        '$',
        '`',
        '\\',
        ';',
        '&',
        '|',
        '\n',
        '$(id)',
        '`id`',
        '${HOME}',
        '~',
        '*',
        '#',
        ' ',
        '!',
        '(',
        ')',
        '<',
        '>',
        '--',
        '=',
        'if',
        "'\\''",
      ),
      fc.string({ maxLength: 3 }),
    ),
    { maxLength: 8 },
  )
  .map((parts) => parts.join('').replaceAll('\0', ''))

t.test('a value comes out of a real shell as it went in, at every place where one may stand', async () => {
  fc.assert(
    // What `$(…)` drops at its end, and what no argument can hold (lone surrogates), is no matter of quoting.
    fc.property(
      fc.constantFrom(...commands),
      text.filter((value) => value.isWellFormed()),
      (command, value) => printed(rendered(command, value)) === `[${value}]`,
    ),
    { numRuns: 150, examples: commands.map((command) => [command, 'a\'b"c$(id)`id`\\ $HOME \n; exit 1 #']) },
  )
})

t.test('numbers and booleans stand bare, so that arithmetic takes them', async (t) => {
  const command = evaluator.render(
    { command: 'echo $(({{ params.n }} + 1)) {{ params.yes }}' },
    scopeWith({ params: { n: 41, yes: true } }),
    ['/command'],
  ) as { command: string }
  t.equal(printed(command.command), '42 true\n')
})

t.test(
  'a string does not get into arithmetic, whose quotes do not keep a shell from running it',
  async (t) => {
    for (const command of [
      '$(({{ params.value }}))',
      "$((1 + ('{{ params.value }}')))",
      '(({{ params.value }}))',
    ])
      t.throws(
        () => rendered(`echo ${command}`, '$(id)'),
        { code: 'E130', message: /only a number/ },
        command,
      )
  },
)

t.test('a whole `{{ }}` in a command is one word too', async (t) => {
  t.equal(rendered('{{ params.value }}', 'rm -rf /; ls'), "'rm -rf /; ls'")
})

t.test('outside of commands nothing is quoted', async (t) => {
  t.strictSame(
    evaluator.render(
      { command: 'x', text: 'say {{ params.value }}' },
      scopeWith({ params: { value: "it's" } }),
      ['/command'],
    ),
    { command: 'x', text: "say it's" },
  )
})

t.test('places where a value could break out are refused', async (t) => {
  const placeOf = (command: string) => shellPlaces(command.split('@'))[0]
  for (const command of [
    '# @',
    'ls # @',
    'cat <<END\n@',
    'echo `ls @`',
    'echo \\@',
    'echo $@',
    'echo ${@}',
    'echo ${X:-@}',
    'echo $[@]',
    "echo $'@'",
    '"$((ls); ls) @"',
    '"$(case x in x) echo \'@\';; esac)"',
  ])
    t.equal(placeOf(command), 'unsafe', command)
  for (const [command, place] of [
    ['a#@', 'bare'],
    ['"${X}" @', 'bare'],
    ['echo "a\\"@"', 'double'],
    ['echo "it\'s @"', 'double'],
    ["echo 'say \"@'", 'single'],
    ['$((1 + @))', 'arithmetic'],
    ["$(('@'))", 'arithmetic'],
    ['$(("@"))', 'arithmetic'],
    ['$((2 * (@)))', 'arithmetic'],
    ['$((1 << @))', 'arithmetic'],
    ['$((16#@))', 'arithmetic'],
    ['((@))', 'arithmetic'],
    ['$(($(ls @)))', 'bare'],
    ['$((2 * (1))) @', 'bare'],
    ['((1)); @', 'bare'],
    ['"$(ls @)"', 'bare'],
  ] as const)
    t.equal(placeOf(command), place, command)
  t.throws(() => evaluator.render('# {{ params.value }}', scopeWith({ params: { value: 'x' } }), ['']), {
    code: 'E130',
  })
})

t.test('a NUL character cannot stand in a command', async (t) => {
  t.throws(() => rendered('echo {{ params.value }}', 'a\0b'), { code: 'E162' })
})
