/** Merkle trees of RFC 6962 against the probes of transparency-dev/merkle, and against themselves. */
import { readFileSync } from 'node:fs'
import t from 'tap'
import {
  leafHash,
  MerkleTree,
  nodeHash,
  provesConsistency,
  provesInclusion,
} from '../../../engine/audit/merkle.ts'
import { casesFolder } from '../../support/cases.ts'

interface Probe {
  readonly kind: 'inclusion' | 'consistency'
  readonly path: string
  readonly wantErr: boolean
  readonly proof: readonly string[] | null
  readonly [field: string]: unknown
}

const bytes = (base64: unknown) => Buffer.from(String(base64 ?? ''), 'base64')

t.test('hashes and proofs are those of the probes', (t) => {
  const folder = casesFolder(t, 'audit')
  if (folder === null) {
    t.end()
    return
  }
  const { hash_vectors: vectors, probes } = JSON.parse(readFileSync(`${folder}/rfc6962-probes.json`, 'utf8'))
  const computed = [
    new MerkleTree([]).root,
    leafHash(Buffer.alloc(0)),
    leafHash(Buffer.from('L123456')),
    nodeHash(Buffer.from('N123'), Buffer.from('N456')),
  ]
  t.strictSame(
    computed.map((hash) => hash.toString('hex')),
    vectors.map(({ hex }: { readonly hex: string }) => hex),
  )
  for (const probe of probes as readonly Probe[]) {
    const proof = (probe.proof ?? []).map(bytes)
    const holds =
      probe.kind === 'inclusion'
        ? provesInclusion({
            index: Number(probe.leafIdx),
            size: Number(probe.treeSize),
            leaf: bytes(probe.leafHash),
            root: bytes(probe.root),
            proof,
          })
        : provesConsistency({
            sizes: [Number(probe.size1), Number(probe.size2)],
            roots: [bytes(probe.root1), bytes(probe.root2)],
            proof,
          })
    t.equal(holds, !probe.wantErr, probe.path)
  }
  t.equal(probes.length, 196)
  t.end()
})

const leaves = (size: number) => Array.from({ length: size }, (_, i) => leafHash(Buffer.from(String(i))))

t.test('every leaf of every tree is proved to be in it, and in no other place', (t) => {
  let proved = 0
  for (let size = 1; size <= 40; size++) {
    const all = leaves(size)
    const tree = new MerkleTree(all)
    for (let index = 0; index < size; index++) {
      const claim = { size, leaf: all[index] as Buffer, root: tree.root, proof: tree.inclusionProof(index) }
      if (provesInclusion({ ...claim, index })) proved++
      for (const other of [index - 1, index + 1])
        if (provesInclusion({ ...claim, index: other })) t.fail(`${index} of ${size} stands at ${other} too`)
    }
  }
  t.equal(proved, (40 * 41) / 2)
  t.end()
})

t.test('every tree is proved to be the beginning of every larger one, and of no other', (t) => {
  let proved = 0
  for (let after = 1; after <= 40; after++)
    for (let before = 1; before <= after; before++) {
      const [old, now] = [new MerkleTree(leaves(before)), new MerkleTree(leaves(after))]
      const claim = { sizes: [before, after], proof: now.consistencyProof(before) } as const
      if (provesConsistency({ ...claim, roots: [old.root, now.root] })) proved++
      const forged = new MerkleTree([...leaves(before - 1), leafHash(Buffer.from('forged'))])
      if (provesConsistency({ ...claim, roots: [forged.root, now.root] }))
        t.fail(`${before} of ${after} was forged`)
    }
  t.equal(proved, (40 * 41) / 2)
  t.end()
})
