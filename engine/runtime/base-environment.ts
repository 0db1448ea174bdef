/** What attempts inherit of the engine's own environment. Knows nothing of the task's. */

/** The key that opens the secrets at rest is the engine's alone. */
const withheld = ['DAGCTL_SECRET_KEY']

/** A copy of this process' environment without what no attempt gets. */
export function baseEnvironment(): NodeJS.ProcessEnv {
  const env = { ...process.env }
  for (const name of withheld) delete env[name]
  return env
}
