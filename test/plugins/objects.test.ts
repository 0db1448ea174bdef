import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { makeTask } from '../support/task-context.ts'

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

t.test('URIs: relative to cwd, absolute, file://, and nothing else yet', async (t) => {
  const dir = t.testdir()
  const { task } = makeTask({ dir })
  t.equal(task.objects.resolve('data/a.txt'), `${dir}/data/a.txt`)
  t.equal(task.objects.resolve('/data/../a.txt'), '/a.txt')
  t.equal(task.objects.resolve('file:///data/a%20b.txt'), '/data/a b.txt')
  t.equal(task.objects.resolve('file://localhost/a'), '/a')
  for (const [uri, why] of [
    ['s3://bucket/key', /s3:\/\/ are not supported yet/],
    ['https://example.org/a', /not supported yet/],
    ['file://host/a', /three slashes/],
    ['file:///a%zz', /'%'/],
    ['', /empty URI/],
    ['a\0b', /NUL/],
  ] as const) {
    t.throws(() => task.objects.resolve(uri), {
      name: 'OperatorFailure',
      kind: 'invalid_input',
      message: why,
    })
  }
})

t.test('a folder means the files directly in it, a glob those that match, sorted by code unit', async (t) => {
  const dir = t.testdir({
    in: { 'b.txt': 'bb', 'a.txt': 'a', 'B.txt': '', 'ä.txt': '', '.hidden': '', sub: { 'c.txt': 'ccc' } },
  })
  const { task } = makeTask({ dir })
  const names = async (pattern: string) =>
    (await task.objects.list(pattern)).map(({ uri }) => uri.slice(dir.length + 1))
  t.strictSame(await names('in'), ['in/B.txt', 'in/a.txt', 'in/b.txt', 'in/ä.txt'])
  t.strictSame(await names('in/**/*.txt'), ['in/B.txt', 'in/a.txt', 'in/b.txt', 'in/sub/c.txt', 'in/ä.txt'])
  t.strictSame(await names('in/[ab].txt'), ['in/a.txt', 'in/b.txt'])
  t.strictSame(await names('in/{a,sub/c}.txt'), ['in/a.txt', 'in/sub/c.txt'])
  t.strictSame(await names('in/?.txt'), ['in/B.txt', 'in/a.txt', 'in/b.txt', 'in/ä.txt'])
  t.strictSame(await names('in/.hidden'), ['in/.hidden'])
  t.strictSame(await names('in/absent*'), [])
  t.strictSame(await names('absent'), [])
  t.match(await task.objects.list('in/b.txt'), [{ uri: `${dir}/in/b.txt`, size: 2, modified: Number }])
  t.equal(await task.objects.stat('in/absent'), null)
  t.match(await task.objects.stat('in/a.txt'), { size: 1 })
})

t.test('a name that looks like a glob but exists is itself', async (t) => {
  const dir = t.testdir({ 'a[1].txt': 'x', 'a1.txt': 'y' })
  const { task } = makeTask({ dir })
  t.strictSame(
    (await task.objects.list('a[1].txt')).map(({ uri }) => uri),
    [`${dir}/a[1].txt`],
  )
})

t.test('open streams from a byte on, and says clearly what cannot be read', async (t) => {
  const dir = t.testdir({ 'a.txt': 'hello world', folder: {} })
  symlinkSync('a.txt', `${dir}/link.txt`)
  spawnSync('mkfifo', [`${dir}/fifo`])
  const { task } = makeTask({ dir })
  t.equal(await text(await task.objects.open('a.txt')), 'hello world')
  t.equal(await text(await task.objects.open('link.txt', { start: 6 })), 'world')
  await t.rejects(task.objects.open('absent.txt'), {
    kind: 'invalid_input',
    message: /cannot read .*absent.txt: it does not exist/,
  })
  await t.rejects(task.objects.open('folder'), { kind: 'invalid_input', message: /it is a folder/ })
  await t.rejects(task.objects.open('fifo'), { kind: 'invalid_input', message: /not a regular file/ })
  if (process.getuid?.() !== 0) {
    chmodSync(`${dir}/a.txt`, 0)
    await t.rejects(task.objects.open('a.txt'), { kind: 'invalid_input', message: /permission denied/ })
  }
})

t.test('a write is seen only after its commit, whole, with its size and SHA-256', async (t) => {
  const dir = t.testdir()
  const { task } = makeTask({ dir })
  const writer = await task.objects.put('out/deep/a.txt')
  const big = 'x'.repeat(700_000)
  await writer.write('head\n')
  const chunk = Buffer.from(big)
  await writer.write(chunk)
  chunk.fill('y')
  t.notOk(readdirSync(`${dir}/out/deep`).includes('a.txt'))
  t.strictSame(await task.objects.list('out/deep'), [], 'temporary files are not listed')
  t.strictSame(await writer.commit(), {
    uri: `${dir}/out/deep/a.txt`,
    size: 700_005,
    sha256: sha256(`head\n${big}`),
  })
  t.strictSame(readdirSync(`${dir}/out/deep`), ['a.txt'])
  t.equal(readFileSync(`${dir}/out/deep/a.txt`, 'utf8'), `head\n${big}`)
  await writer.abort()
  t.strictSame(readdirSync(`${dir}/out/deep`), ['a.txt'], 'an abort after the commit does nothing')
})

t.test('a commit replaces what was there, an abort leaves it', async (t) => {
  const dir = t.testdir({ 'a.txt': 'old' })
  const { task } = makeTask({ dir })
  const aborted = await task.objects.put('a.txt')
  await aborted.write('torn')
  await aborted.abort()
  t.equal(readFileSync(`${dir}/a.txt`, 'utf8'), 'old')
  const writer = await task.objects.put('a.txt')
  await writer.write('new')
  await writer.commit()
  t.equal(readFileSync(`${dir}/a.txt`, 'utf8'), 'new')
  t.strictSame(readdirSync(dir), ['a.txt'])
})

t.test('what was never committed is gone when the task ends', async (t) => {
  const dir = t.testdir()
  const { task, dispose } = makeTask({ dir })
  await (await task.objects.put('a.txt')).write('x')
  await dispose()
  t.strictSame(readdirSync(dir), [])
})

t.test(
  'the next attempt sweeps what a killed one left beside its targets, and touches nothing else',
  async (t) => {
    const dir = t.testdir({ out: { '.mine.tmp': '' } })
    const killed = makeTask({ dir })
    await (await killed.task.objects.put('out/a-000.txt')).write('x')
    const other = makeTask({ dir, task: 'other' })
    await (await other.task.objects.put('out/b.txt')).write('x')
    t.equal(readdirSync(`${dir}/out`).length, 3)
    const next = makeTask({ dir, attempt: 2 })
    const writer = await next.task.objects.put('out/a-001.txt')
    await writer.commit()
    const left = readdirSync(`${dir}/out`)
    t.equal(left.length, 3)
    t.ok(
      left.includes('.mine.tmp') &&
        left.includes('a-001.txt') &&
        left.some((name) => name.startsWith('.b.txt.')),
    )
    await Promise.all([killed.dispose(), other.dispose()])
  },
)

t.test('a full disk and a target that cannot be are failures that name the file', async (t) => {
  const dir = t.testdir({ file: '', folder: { x: '' } })
  const { task } = makeTask({ dir })
  await t.rejects(task.objects.put('file/a.txt'), { kind: 'user', message: /cannot write .*file\/a.txt/ })
  const onto = await task.objects.put('folder')
  await t.rejects(onto.commit(), { kind: 'user', message: /cannot write .*folder: it is a folder/ })
  t.strictSame(readdirSync(dir).sort(), ['file', 'folder'])
})

t.test('a name as long as the file system allows can be written', async (t) => {
  const dir = t.testdir()
  const { task } = makeTask({ dir })
  const name = `${'é'.repeat(126)}.t`
  const writer = await task.objects.put(name)
  await writer.commit()
  t.strictSame(readdirSync(dir), [name])
})

const small = mkdtempSync(join(tmpdir(), 'dagctl-small-'))
const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', small]).status === 0
t.teardown(() => {
  if (mounted) spawnSync('umount', [small])
  rmSync(small, { recursive: true })
})

t.test(
  'a full disk is named as such',
  { skip: mounted ? false : 'this machine allows no mount' },
  async (t) => {
    const { task } = makeTask({ dir: t.testdir() })
    const writer = await task.objects.put(`${small}/big`)
    await t.rejects(writer.write(Buffer.alloc(1 << 20)), {
      kind: 'user',
      message: /big: the disk is full.*ENOSPC/,
    })
    await t.rejects(writer.commit(), { kind: 'user', message: /the disk is full/ })
    t.strictSame(readdirSync(small), [])
  },
)
