import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { json, start } from '../support/command-line.ts'

const child = `
dagctl: 1
pipeline: child
tasks: { a: { run: 'echo x >> ran; sleep 0.5; echo {\\"n\\":7} > $DAGCTL_OUTPUT' } }
`
const parent = `
dagctl: 1
pipeline: parent
tasks: { go: { uses: TriggerPipeline, with: { pipeline: ./child.yaml } } }
`

interface Listed {
  readonly id: string
  readonly pipeline: string
  readonly state: string
}

// The first word is said before the run is made, the second while its end is waited for.
for (const moment of ['go running', 'go sleeping'])
  t.test(
    `a trigger whose engine is killed at \`${moment}\` makes one run, and takes its outputs`,
    async (t) => {
      const dir = t.testdir({ 'child.yaml': child, 'parent.yaml': parent })
      const first = start(dir, ['run', './parent.yaml'])
      await first.said(moment)
      first.child.kill('SIGKILL')
      await first.ended
      const { document: before } = await json(dir, ['runs', 'list'])
      const run = (before.runs as Listed[]).find(({ pipeline }) => pipeline === 'parent')
      const { exit, document } = await json(dir, ['runs', 'resume', run?.id ?? ''])
      t.equal(exit, 0)
      t.match(document.tasks, [
        { id: 'go', state: 'succeeded', tries: 1, outputs: { outputs: { a: { n: 7 } } } },
      ])
      const { document: after } = await json(dir, ['runs', 'list'])
      t.match(after.runs, [
        { pipeline: 'child', state: 'succeeded' },
        { pipeline: 'parent', state: 'succeeded' },
      ])
      t.equal(after.runs.length, 2)
      const file = join(dir, 'ran')
      t.equal(existsSync(file) && readFileSync(file, 'utf8'), 'x\n', 'its task ran once')
    },
  )
