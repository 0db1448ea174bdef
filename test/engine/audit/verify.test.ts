/** A log that was altered, cut, filled or shuffled is found out, and the entry is named. Real store, real signatures. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import t, { type Test } from 'tap'
import { keyFile, publicKeyOf, publicKeyPattern, signerIn } from '../../../engine/audit/key.ts'
import { type AuditContent, hashOf } from '../../../engine/audit/log.ts'
import { auditFaults } from '../../../engine/audit/verify.ts'
import { openSqlite } from '../../../engine/store/sqlite.ts'

const draft = (what: string) => ({ what, who: 'ann', subject: { run: 'r1' }, detail: { n: 1 } })

/** Two chains of three entries each, noted in turn; `harm` is done to the file by somebody who knows SQL. */
async function faultsAfter(t: Test, harm: (db: Database.Database, data: string) => void) {
  const data = t.testdir()
  const path = join(data, 'dagctl.db')
  const signer = signerIn(data)
  const store = openSqlite({ path, signer: () => signer })
  for (const number of [1, 2, 3])
    for (const chain of ['x', 'y'])
      await store.note({ chain, drafts: [draft(`${chain}.${number}`)], at: number * 1000 })
  await store.close()
  const db = new Database(path)
  harm(db, data)
  db.close()
  const again = openSqlite({ path })
  const [pub = ''] = readdirSync(data).filter((name) => publicKeyPattern.test(name))
  const key = publicKeyOf(readFileSync(join(data, pub), 'utf8'), pub)
  const { entries, heads } = await again.auditLog()
  const faults = auditFaults(
    entries,
    heads,
    (id, content, signature) => id === key.id && key.verifies(content, signature),
  )
  await again.close()
  return faults.map(({ kind, message }) => `${kind}: ${message}`)
}

/** As many faults as patterns, each in its place. */
function matchesEach(t: Test, found: readonly string[], patterns: readonly (string | RegExp)[]): void {
  t.equal(found.length, patterns.length, found.join('\n'))
  t.match(found, patterns)
}

const contentOf = (db: Database.Database, seq: number) =>
  (db.prepare('SELECT content FROM audit WHERE seq = ?').get(seq) as { readonly content: string }).content

t.test('a log that nobody touched is as it was written', async (t) => {
  t.strictSame(await faultsAfter(t, () => {}), [])
})

t.test('an altered entry is named, also where its hash was made to fit', async (t) => {
  const forged = (db: Database.Database) => contentOf(db, 3).replace('ann', 'eve')
  matchesEach(
    t,
    await faultsAfter(t, (db) => db.prepare('UPDATE audit SET content = ? WHERE seq = 3').run(forged(db))),
    ['altered: entry 3 (number 2 of chain x, x.2) is not what its hash says'],
  )
  const fitting = await faultsAfter(t, (db) => {
    const content = forged(db)
    db.prepare('UPDATE audit SET content = ?, hash = ? WHERE seq = 3').run(content, hashOf(content))
  })
  matchesEach(t, fitting, [
    'altered: entry 5 (number 3 of chain x, x.3) does not follow from the one before it',
    'altered: entry 3 (number 2 of chain x, x.2) is not what was signed',
  ])
})

t.test(
  'an entry that was taken out is missed, at the end of its chain too, with its head or without',
  async (t) => {
    matchesEach(t, await faultsAfter(t, (db) => db.exec('DELETE FROM audit WHERE seq = 3')), [
      'removed: number 2 of chain x is gone',
      /^removed: the head 3 .* its entry is gone$/,
    ])
    matchesEach(t, await faultsAfter(t, (db) => db.exec('DELETE FROM audit WHERE seq = 6')), [
      'removed: the head 6 (number 3 of chain y) was signed, and its entry is gone',
    ])
    matchesEach(
      t,
      await faultsAfter(t, (db) =>
        db.exec('DELETE FROM audit WHERE seq = 5; DELETE FROM audit_heads WHERE seq = 5'),
      ),
      ['removed: the head 6 (number 3 of chain y) does not follow from the head before it'],
    )
  },
)

t.test('a whole chain that was taken out is missed', async (t) => {
  const faults = await faultsAfter(t, (db) =>
    db.exec(
      'DELETE FROM audit WHERE chain = \'x\'; DELETE FROM audit_heads WHERE content LIKE \'%"chain":"x"%\'',
    ),
  )
  t.equal(faults.length, 3)
  for (const fault of faults) t.match(fault, /^removed: the head \d \(number \d of chain y\) does not follow/)
})

t.test('an entry that was put in is found, in a chain, after it, or in one of its own', async (t) => {
  const insert = (db: Database.Database, content: AuditContent) => {
    const text = JSON.stringify(content)
    db.prepare('INSERT INTO audit (chain, number, content, hash) VALUES (?, ?, ?, ?)').run(
      content.chain,
      content.number + 100,
      text,
      hashOf(text),
    )
  }
  const entry = (chain: string, number: number, previous: string | null): AuditContent => ({
    ...draft('forged'),
    chain,
    number,
    at: '2026-01-01T00:00:00.000Z',
    previous,
  })
  matchesEach(t, await faultsAfter(t, (db) => insert(db, entry('x', 2, null))), [
    'reordered: entry 7 (number 2 of chain x, forged) stands after number 3',
    'inserted: entry 7 (number 2 of chain x, forged) has the number of another',
    'altered: entry 5 (number 3 of chain x, x.3) does not follow from the one before it',
    'altered: entry 7 (number 2 of chain x, forged) is not what was signed',
  ])
  const last = (db: Database.Database) =>
    (db.prepare('SELECT hash FROM audit WHERE seq = 5').get() as { readonly hash: string }).hash
  matchesEach(t, await faultsAfter(t, (db) => insert(db, entry('x', 4, last(db)))), [
    /^unsigned: entry 7 \(number 4 of chain x, forged\) is under no signed head/,
  ])
  matchesEach(t, await faultsAfter(t, (db) => insert(db, entry('z', 1, null))), [
    /^unsigned: entry 7 \(number 1 of chain z, forged\)/,
  ])
})

t.test('entries in another order are named', async (t) => {
  const faults = await faultsAfter(t, (db) => {
    db.exec(
      'UPDATE audit SET seq = 100 WHERE seq = 1; UPDATE audit SET seq = 1 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 100',
    )
  })
  t.strictSame(faults, ['reordered: entry 3 (number 1 of chain x, x.1) stands after number 2'])
})

t.test('a head of another key, or an altered one, is no head', async (t) => {
  matchesEach(
    t,
    await faultsAfter(t, (db) =>
      db.exec("UPDATE audit_heads SET content = replace(content, '00:00:02', '00:00:07') WHERE seq = 4"),
    ),
    [/^altered: the head 4 .* is not signed by the key/, /^removed: the head 5 .* does not follow/],
  )
  const signedByEve = await faultsAfter(t, (db, data) => {
    const eve = join(data, 'eve')
    mkdirSync(eve)
    const { content } = db.prepare('SELECT content FROM audit_heads WHERE seq = 6').get() as {
      readonly content: string
    }
    db.prepare('UPDATE audit_heads SET signature = ? WHERE seq = 6').run(signerIn(eve).sign(content))
  })
  matchesEach(t, signedByEve, [/^altered: the head 6 .* is not signed by the key/])
})

t.test('what is no entry and no head any more is named, and the rest is still checked', async (t) => {
  matchesEach(
    t,
    await faultsAfter(t, (db) => db.exec("UPDATE audit_heads SET content = '{' WHERE seq = 2")),
    ['altered: the head 2 cannot be read', /^removed: the head 3 .* does not follow/],
  )
  matchesEach(t, await faultsAfter(t, (db) => db.exec("UPDATE audit SET content = 'null' WHERE seq = 2")), [
    'altered: entry 2 cannot be read',
    'removed: number 1 of chain y is gone',
    'removed: the head 2 (number 1 of chain y) was signed, and its entry is gone',
  ])
})

t.test('the key is made once, and only its owner reads it', (t) => {
  const data = join(t.testdir(), 'new')
  const keys = new Set([1, 2, 3].map(() => signerIn(data).key))
  t.equal(keys.size, 1)
  t.equal(statSync(join(data, keyFile)).mode & 0o777, 0o600)
  t.strictSame(readdirSync(data).toSorted(), [`audit-${[...keys][0]}.pub`, 'audit.key'])
  writeFileSync(join(data, keyFile), 'no key')
  t.throws(() => signerIn(data), { code: 'E504', message: /audit\.key is no Ed25519 key/ })
  t.end()
})
