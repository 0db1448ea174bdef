/** Tests that need something which may be absent: they skip visibly, or fail where everything is required. */
import type { Test } from 'tap'

/**
 * What was found, or null where it is absent; then the test says that it skips, or fails when `DAGCTL_TEST_REQUIRE` is
 * `all` (but for what is `optional` even there).
 */
export function required<Found>(t: Test, found: Found | null, what: string, optional = false): Found | null {
  if (found !== null) return found
  if (process.env.DAGCTL_TEST_REQUIRE === 'all' && !optional) t.fail(`${what} is required, but absent`)
  else t.pass(what, { skip: `${what} is absent` })
  return null
}

/** Resolves when a server accepts connections at the port; rejects when its process ends before. */
export async function listens(
  port: number,
  child: { readonly exitCode: number | null; once(event: 'exit', heard: () => void): unknown },
): Promise<void> {
  const { connect } = await import('node:net')
  let gone = false
  child.once('exit', () => {
    gone = true
  })
  for (;;) {
    if (gone || child.exitCode !== null) throw new Error(`the server of port ${port} ended`)
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy()
        resolve(true)
      })
      socket.on('error', () => resolve(false))
    })
    if (there) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

/** A port of this machine that nobody uses. */
export async function freePort(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
