/** What a loss of power leaves of an attempt's files: its result, or that it runs again; never another result, never a failure. */
import { cpSync, existsSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import t from 'tap'
import type { Outcome } from '../../engine/outcome.ts'
import type { Attempt } from '../../engine/runtime/runtime.ts'
import { attemptOf, processRuntime, processRuntimeWithoutPerl } from '../support/runtimes.ts'

const outputs = { rows: 1_234, of: 'a table with a long name' }
const said = `echo '{"type":"progress","done":1}' >> $DAGCTL_EVENTS; echo printed`

const kits = [
  {
    name: 'a command',
    make: () => processRuntime(),
    attempt: (dir: string) =>
      attemptOf(
        'Shell',
        { command: `${said}; printf %s '${JSON.stringify(outputs)}' > $DAGCTL_OUTPUT` },
        { dir },
      ),
  },
  {
    name: 'a command without Perl',
    make: processRuntimeWithoutPerl,
    attempt: (dir: string) =>
      attemptOf(
        'Shell',
        { command: `${said}; printf %s '${JSON.stringify(outputs)}' > $DAGCTL_OUTPUT` },
        { dir },
      ),
  },
  {
    name: "an operator's code in a worker",
    make: () => processRuntime(),
    attempt: (dir: string) => attemptOf('Echo', outputs, { dir }),
  },
]

/** The ways in which a file may be left: the end missing, nothing in it, zeros in it. */
const tears: { readonly [name: string]: (path: string, size: number) => void } = {
  'without its last byte': (path, size) => truncateSync(path, size - 1),
  'half there': (path, size) => truncateSync(path, Math.floor(size / 2)),
  empty: (path) => truncateSync(path, 0),
  'full of zeros': (path, size) => writeFileSync(path, Buffer.alloc(size)),
}

/** As it is after the machine was started anew. */
function restart({ folder }: Attempt): void {
  const path = `${folder}/process.json`
  if (!existsSync(path)) return
  writeFileSync(path, readFileSync(path, 'utf8').replace(/"bootId":"[^"]*"/, '"bootId":"another"'))
}

for (const { name, make, attempt: attemptIn } of kits) {
  t.test(name, async (t) => {
    const runtime = make()
    t.teardown(() => runtime.close())
    const dir = t.testdir()
    const attempt = attemptIn(dir)
    t.strictSame(await runtime.start(attempt, () => {}).outcome, { type: 'succeeded', outputs })
    restart(attempt)
    const files = readdirSync(attempt.folder).filter((file) => statSync(`${attempt.folder}/${file}`).isFile())
    t.ok(files.includes('ending.json') && files.includes('process.json'))
    const attached = (folder: string): Promise<Outcome> =>
      runtime.attach({ ...attempt, folder }, () => {}).outcome
    let again = 0
    for (const file of files)
      for (const [how, tear] of Object.entries(tears)) {
        const folder = `${dir}/${file} ${how}`
        cpSync(attempt.folder, folder, { recursive: true })
        tear(`${folder}/${file}`, statSync(`${folder}/${file}`).size)
        const outcome = await attached(folder)
        if (outcome.type === 'released') again += 1
        else t.strictSame(outcome, { type: 'succeeded', outputs }, `${file} ${how}`)
      }
    t.ok(again > 0, 'some of them cost the result')
    const folder = `${dir}/nothing`
    t.match(await attached(folder), { type: 'released', kind: 'node_lost' }, 'nothing was left of it')
  })
}
