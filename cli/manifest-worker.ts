/** Makes the manifests of large runs in a process of its own, for manifest-digest.ts. */
import { openSqlite } from '../engine/store/sqlite.ts'
import { answering } from './beside.ts'
import { type Answer, digestOfRun, type Question } from './manifest-digest.ts'

answering<Question, Answer>(async ({ store: path, run, env }) => {
  const store = openSqlite({ path })
  try {
    return { digest: await digestOfRun(store, run, env) }
  } catch (error) {
    return { error: (error as Error).message }
  } finally {
    await store.close()
  }
})
