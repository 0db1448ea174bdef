/** What commands print is kept from filling the disk: the beginning and the end stay, and what was cut is said. */
import { spawn } from 'node:child_process'
import {
  appendFileSync,
  copyFileSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cutLog, LogBound, logBound } from '../../engine/runtime/log-bound.ts'
import { VirtualClock } from '../../simulation/virtual-clock.ts'
import { dagctl, json } from '../support/command-line.ts'

t.setTimeout(120_000)

const bound = { most: 100, head: 20, tail: 10 }
const digits = (count: number) => Array.from({ length: count }, (_, i) => i % 10).join('')

t.test('a long file keeps its beginning and its end, again and again, with all that was cut', (t) => {
  const path = join(t.testdir({ log: digits(100) }), 'log')
  cutLog(path, bound)
  t.equal(readFileSync(path, 'utf8'), digits(100), 'it is not too long yet')
  appendFileSync(path, 'x')
  cutLog(path, bound)
  t.equal(readFileSync(path, 'utf8'), `${digits(20)}\n[dagctl: 71 bytes were cut here]\n123456789x`)
  appendFileSync(path, 'y'.repeat(100))
  cutLog(path, bound)
  t.equal(readFileSync(path, 'utf8'), `${digits(20)}\n[dagctl: 171 bytes were cut here]\n${'y'.repeat(10)}`)
  t.doesNotThrow(() => cutLog(join(path, '../absent'), bound))
  t.end()
})

t.test('what a link leads to is not cut', (t) => {
  const dir = t.testdir({ precious: digits(500) })
  symlinkSync(join(dir, 'precious'), join(dir, 'log'))
  cutLog(join(dir, 'log'), bound)
  t.equal(statSync(join(dir, 'precious')).size, 500)
  t.end()
})

t.test('a file is cut while it grows, not only at its end', async (t) => {
  const path = join(t.testdir(), 'log')
  const clock = new VirtualClock()
  const bounded = new LogBound([path], clock.face(), (_, error) => {
    throw error
  })
  bounded.watch()
  for (const round of [1, 2]) {
    appendFileSync(path, Buffer.alloc(logBound.most + 1))
    await clock.step()
    t.ok(statSync(path).size < logBound.most, `round ${round}`)
  }
  bounded.close()
  t.equal(clock.nextAt(), Number.POSITIVE_INFINITY, 'nothing looks after it any more')
})

t.test('a file that cannot be cut is told of once, and left as it is', (t) => {
  const path = join(t.testdir(), 'sleep')
  copyFileSync('/bin/sleep', path)
  truncateSync(path, logBound.most + 1)
  // What runs as a program cannot be written.
  const running = spawn(path, ['60'])
  t.teardown(() => running.kill('SIGKILL'))
  const told: string[] = []
  const bounded = new LogBound([path], new VirtualClock().face(), (_, { message }) => told.push(message))
  bounded.cut()
  bounded.cut()
  t.equal(told.length, 1)
  t.match(told, [/ETXTBSY/])
  t.equal(statSync(path).size, logBound.most + 1)
  t.end()
})

t.test('a command that prints without end fills no disk, and its last words are kept', async (t) => {
  const command = `echo first; yes 0123456789 | head -c ${logBound.most + 1}; echo last; echo bad >&2`
  const folder = t.testdir()
  writeFileSync(
    join(folder, 'p.yaml'),
    `dagctl: 1\npipeline: p\ntasks: { a: { run: ${JSON.stringify(command)} } }\n`,
  )
  const { exit, document } = await json(folder, ['run', 'p.yaml'])
  t.equal(exit, 0)
  const { id } = document.run
  const log = join(folder, '.dagctl/attempts', id, `${id}-0-1`, 'stdout.log')
  t.ok(statSync(log).size <= logBound.head + logBound.tail + 100)
  const { out } = await dagctl(folder, ['logs', id, 'a'])
  t.ok(out.startsWith('first\n0123456789\n'))
  t.match(out, /\n\[dagctl: \d{7,} bytes were cut here\]\n/)
  t.ok(out.trimEnd().endsWith('last\nerror bad'))
})
