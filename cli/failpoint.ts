/**
 * Where a process dies for a test of crashes: `DAGCTL_FAILPOINT=before-commit:N` or `after-commit:N` kills it, as SIGKILL
 * does, at its Nth commit: before anything of it is written, or when all of it is durable and nothing of it is done yet.
 */
import { DagctlError } from '../engine/errors.ts'
import type { Batch } from '../engine/store/batch.ts'
import type { Store } from '../engine/store/store.ts'

/** The store that kills the process at the failpoint. Throws E206 where the words name none. @param kill never returns */
export function withFailpoint(store: Store, words: string, kill: () => void): Store {
  const [, moment, number] = /^(before|after)-commit:([1-9][0-9]*)$/.exec(words) ?? []
  if (moment === undefined)
    throw new DagctlError('E206', `DAGCTL_FAILPOINT=${words} names no failpoint`, {
      kind: 'usage',
      hint: '`before-commit:N` and `after-commit:N` are there',
    })
  let left = Number(number)
  return new Proxy(store, {
    get(target, name: keyof Store) {
      const value = target[name] as unknown
      if (name !== 'commit') return typeof value === 'function' ? value.bind(target) : value
      return async (batch: Batch) => {
        left--
        if (left === 0 && moment === 'before') kill()
        const result = await target.commit(batch)
        if (left === 0) kill()
        return result
      }
    },
  })
}
