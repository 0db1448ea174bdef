/** What commands print is kept from filling the disk: the beginning and the end stay, and what was cut is said. */
import { appendFileSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { cutLog, logBound } from '../../engine/runtime/log-bound.ts'
import { dagctl, json } from '../support/command-line.ts'

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

t.test('a command that prints without end fills no disk, and its last words are kept', async (t) => {
  const command = `echo first; yes 0123456789 | head -c ${6 * logBound.most}; echo last; echo bad >&2`
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
  t.match(out, /\n\[dagctl: \d{8,} bytes were cut here\]\n/)
  t.ok(out.trimEnd().endsWith('last\nerror bad'))
})
