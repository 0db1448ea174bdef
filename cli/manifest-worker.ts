/** Makes the manifests of large runs in a process of its own, for manifest-digest.ts. */
import { openSqlite } from '../engine/store/sqlite.ts'
import { answering } from './beside.ts'
import { type Answer, made, type Question } from './manifest-digest.ts'

answering<Question, Answer>(async ({ store: path, run, env }) => {
  try {
    const store = openSqlite({ path })
    try {
      return { made: await made(store, run, env) }
    } finally {
      await store.close()
    }
  } catch (error) {
    return { failed: (error as Error).message }
  }
})
