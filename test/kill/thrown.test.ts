/** Errors that the system throws where no command waits for them. */
import { spawnSync } from 'node:child_process'
import t from 'tap'
import { json, launcher } from '../support/command-line.ts'

const pipeline = `dagctl: 1
pipeline: thrown
defaults: { timeout: 1m }
tasks:
  wait: { uses: Wait, with: { for: 2s } }
`

/** Runs the pipeline in a process in which something is thrown out of nowhere once the run is made. */
function runAndThrow(cwd: string, code: string) {
  const thrower = `
    const write = process.stderr.write
    process.stderr.write = function (text, ...more) {
      if (String(text).startsWith('run ')) setImmediate(() => {
        throw Object.assign(new Error('out of nowhere'), { code: '${code}' })
      })
      return write.call(this, text, ...more)
    }`
  const words = [
    '--import',
    `data:text/javascript,${encodeURIComponent(thrower)}`,
    launcher,
    'run',
    'thrown.yaml',
  ]
  return spawnSync(process.execPath, words, { cwd, encoding: 'utf8' })
}

for (const [code, exit] of [
  ['EMFILE', 5],
  ['', 70],
] as const) {
  t.test(
    `an error '${code}' that nobody waits for ends with exit ${exit}, and the run goes on`,
    async (t) => {
      const folder = t.testdir({ 'thrown.yaml': pipeline })
      const { status, stderr } = runAndThrow(folder, code)
      t.equal(status, exit)
      t.match(stderr, 'out of nowhere')
      t.notMatch(stderr, /\n {4}at /)
      const { document } = await json(folder, ['runs', 'list'])
      const resumed = await json(folder, ['runs', 'resume', document.runs[0].id])
      t.match(resumed.document.run, { state: 'succeeded' })
    },
  )
}
