import { readFileSync } from 'node:fs'
import t from 'tap'
import { dagctl } from '../support/command-line.ts'

const page = readFileSync(new URL('../../docs/acting-on-runs.md', import.meta.url), 'utf8')
const commands = [...page.matchAll(/^dagctl (.*?)(?: {2,}#.*)?$/gm)].map(([, words = '']) => words)

t.test('every command on the page about acting on runs is one, with options that it has', async (t) => {
  const folder = t.testdir({})
  t.ok(commands.length >= 12, `${commands.length} commands`)
  for (const command of commands) {
    const words = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
    const { exit, err } = await dagctl(folder, words)
    // There is no such run here; what cannot be read is E201.
    t.ok(exit === 0 || err.includes('E205'), `${command}: ${err}`)
  }
})
