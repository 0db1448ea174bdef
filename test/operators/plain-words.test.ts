import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import t from 'tap'
import { plainWords } from '../../operators/control/plain-words.ts'

t.test('a plain command has the words that a shell would pass on', async (t) => {
  const word = fc.stringMatching(/^[\w@%+=:,./-]{1,8}$/)
  fc.assert(
    fc.property(fc.array(word, { maxLength: 4 }), (words) => {
      const command = ['/usr/bin/printf', '%s,', '.', ...words].join('  ')
      const plain = plainWords(command)
      if (plain === null) return words.some((one) => one.startsWith('='))
      const [program = '', ...rest] = plain
      const started = spawnSync(program, rest, { encoding: 'utf8' })
      return started.stdout === spawnSync('/bin/sh', ['-c', command], { encoding: 'utf8' }).stdout
    }),
    { numRuns: 60 },
  )
  t.strictSame(plainWords(' /bin/true  a '), ['/bin/true', 'a'])
  t.strictSame(plainWords('python3 train.py --lr=1e-4'), ['python3', 'train.py', '--lr=1e-4'])
})

t.test('what a shell would do by itself, expand or read as grammar is left to it', async (t) => {
  for (const command of [
    'cd /tmp',
    'chdir /tmp',
    '-x',
    '+x ./run',
    'exit 3',
    'exec /bin/true',
    'test -f a',
    '[ -f a ]',
    'echo a',
    'true',
    ': a',
    '. ./setup',
    'while true',
    'A=1 ./run',
    './run =a',
    './run a;./run b',
    './run &',
    './run | cat',
    './run > log',
    './run $HOME',
    './run `date`',
    './run "a b"',
    "./run 'a'",
    './run a\\ b',
    './run *.txt',
    './run a?',
    './run ~',
    './run {a,b}',
    './run a # b',
    './run\n./run',
    './run\ta',
    './run grüße',
    '! ./run',
    '(./run)',
    '',
    ' ',
  ])
    t.equal(plainWords(command), null, command)
})
