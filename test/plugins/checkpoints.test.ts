import {
  appendFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { makeTask } from '../support/task-context.ts'

const folderOf = (dir: string) => join(dir, '.dagctl/checkpoints/run-1/test')

t.test('the next attempt gets the newest state and files; another task gets nothing', async (t) => {
  const dir = t.testdir({ 'a.bin': 'aaa', 'b.bin': 'bbb' })
  const first = makeTask({ dir })
  t.equal(await first.task.checkpoint.load(), null)
  await first.task.checkpoint.save(1, { offset: 10 })
  await first.task.checkpoint.save(2, { offset: 20, seen: ['x'] }, [`${dir}/a.bin`, `${dir}/b.bin`])
  t.strictSame(first.checkpoints, [1, 2])
  const { task } = makeTask({ dir, attempt: 2 })
  const found = await task.checkpoint.load()
  t.match(found, { step: 2, state: { offset: 20, seen: ['x'] } })
  t.equal(readFileSync(join(found?.folder ?? '', 'b.bin'), 'utf8'), 'bbb')
  t.equal(await makeTask({ dir, task: 'other' }).task.checkpoint.load(), null)
})

t.test('a step that is asked for is restored, and one that is not there is said to be none', async (t) => {
  const dir = t.testdir()
  const { task } = makeTask({ dir })
  for (const step of [10, 20]) await task.checkpoint.save(step, step)
  t.match(await makeTask({ dir, restore: { step: 10, since: 2 } }).task.checkpoint.load(), { step: 10 })
  await t.rejects(makeTask({ dir, restore: { step: 30, since: 2 } }).task.checkpoint.load(), {
    kind: 'invalid_input',
    message: 'there is no valid checkpoint of step 30; there are those of 20, 10',
  })
})

t.test('a file that grows after the save does not change what was saved', async (t) => {
  const dir = t.testdir({ 'a.bin': 'aaa' })
  const { task } = makeTask({ dir })
  await task.checkpoint.save(1, null, [`${dir}/a.bin`])
  appendFileSync(`${dir}/a.bin`, 'more')
  const found = await task.checkpoint.load()
  t.equal(readFileSync(join(found?.folder ?? '', 'a.bin'), 'utf8'), 'aaa')
})

t.test('two are kept, and nothing half-written', async (t) => {
  const dir = t.testdir()
  const { task } = makeTask({ dir })
  for (const step of [1, 2, 3, 4]) await task.checkpoint.save(step, step)
  t.strictSame(readdirSync(folderOf(dir)).sort(), ['checkpoint-00000003', 'checkpoint-00000004'])
})

for (const [what, harm] of [
  ['a file was altered', (folder: string) => rewrite(join(folder, 'files/a.bin'), 'axa')],
  ['a file was torn', (folder: string) => rewrite(join(folder, 'files/a.bin'), 'a')],
  ['a file is gone', (folder: string) => rmSync(join(folder, 'files/a.bin'))],
  [
    'the state was altered',
    (folder: string) =>
      rewrite(join(folder, 'manifest.json'), (old) => old.replace('"state":2', '"state":3')),
  ],
  [
    'the manifest was torn',
    (folder: string) => rewrite(join(folder, 'manifest.json'), (old) => old.slice(0, 40)),
  ],
  ['the manifest is empty JSON', (folder: string) => rewrite(join(folder, 'manifest.json'), 'null')],
  [
    'a file became a link',
    (folder: string) => {
      renameSync(join(folder, 'files/a.bin'), join(folder, 'files/b.bin'))
      symlinkSync('b.bin', join(folder, 'files/a.bin'))
    },
  ],
  ['its manifest became a link to the same', (folder: string) => link(folder, 'manifest.json')],
  ['the folder of its files became a link to the same', (folder: string) => link(folder, 'files')],
  ['it became a link to the same', (folder: string) => link(folder, '')],
  [
    'a blank was appended to its manifest',
    (folder: string) => rewrite(join(folder, 'manifest.json'), (old) => `${old} `),
  ],
  [
    'the manifest is that of the one before',
    (folder: string) =>
      rewrite(
        join(folder, 'manifest.json'),
        readFileSync(join(folder, '../checkpoint-00000001/manifest.json'), 'utf8'),
      ),
  ],
] as const) {
  t.test(`where ${what}, the one before is restored, and the log says why`, async (t) => {
    const dir = t.testdir({ 'a.bin': 'aaa' })
    const first = makeTask({ dir })
    await first.task.checkpoint.save(1, 1, [`${dir}/a.bin`])
    await first.task.checkpoint.save(2, 2, [`${dir}/a.bin`])
    harm(join(folderOf(dir), 'checkpoint-00000002'))
    const { task, logs } = makeTask({ dir, attempt: 2 })
    t.match(await task.checkpoint.load(), { step: 1, state: 1 })
    t.match(logs, [{ level: 'warn', message: /checkpoint-00000002 is not used: / }])
  })
}

t.test('a checkpoint that was renamed to be the newest is not restored', async (t) => {
  const dir = t.testdir()
  const first = makeTask({ dir })
  for (const step of [1, 2]) await first.task.checkpoint.save(step, step)
  renameSync(join(folderOf(dir), 'checkpoint-00000001'), join(folderOf(dir), 'checkpoint-00000009'))
  const { task, logs } = makeTask({ dir, attempt: 2 })
  t.match(await task.checkpoint.load(), { step: 2 })
  t.match(logs, [{ message: /checkpoint-00000009 is not used: its manifest is that of another/ }])
})

t.test('a checkpoint of another operator version is not restored', async (t) => {
  const dir = t.testdir()
  await makeTask({ dir }).task.checkpoint.save(1, 1)
  const { task, logs } = makeTask({ dir, operator: { name: 'Test', version: 2 } })
  t.equal(await task.checkpoint.load(), null)
  t.match(logs, [{ message: /it is of Test@1, this is Test@2/ }])
})

t.test(
  'links, folders, absent files and files of one name are refused, and nothing is left of the try',
  async (t) => {
    const dir = t.testdir({ 'a.bin': '', folder: { 'a.bin': '' } })
    symlinkSync('a.bin', `${dir}/link`)
    const { task } = makeTask({ dir })
    await t.rejects(task.checkpoint.save(1, null, [`${dir}/link`]), {
      kind: 'user',
      message: /symbolic link/,
    })
    await t.rejects(task.checkpoint.save(1, null, [`${dir}/folder`]), { kind: 'user', message: /folder/ })
    await t.rejects(task.checkpoint.save(1, null, [`${dir}/absent`]), {
      kind: 'user',
      message: /does not exist/,
    })
    await t.rejects(task.checkpoint.save(1, null, [`${dir}/a.bin`, `${dir}/folder/a.bin`]), {
      message: /two files/,
    })
    await t.rejects(task.checkpoint.save(Number.NaN, null), { message: /step/ })
    t.equal(await task.checkpoint.load(), null)
    t.strictSame(readdirSync(folderOf(dir)), [])
  },
)

function link(folder: string, inner: string): void {
  const path = join(folder, inner)
  const elsewhere = join(folder, '../../elsewhere')
  renameSync(path, elsewhere)
  symlinkSync(elsewhere, path)
}

function rewrite(path: string, text: string | ((old: string) => string)): void {
  const old = readFileSync(path, 'utf8')
  const next = typeof text === 'string' ? text : text(old)
  if (next === old) throw new Error('the harm changes nothing')
  rmSync(path)
  writeFileSync(path, next)
}
