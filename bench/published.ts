/** The package as it is published, for benchmarks of what users install. Knows no workload. */
import { cpSync, existsSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

/** The checkout. */
export const root = join(import.meta.dirname, '..')

/**
 * Makes the folder what the package publishes, with the packages that it depends on, and gives the launcher's path. Throws
 * where dist/ was not built.
 */
export function publishInto(folder: string): string {
  if (!existsSync(join(root, 'dist'))) throw new Error('there is no dist/: run `npm run build` first')
  for (const name of ['bin', 'dist', 'schemas', 'package.json'])
    cpSync(join(root, name), join(folder, name), { recursive: true, filter: (path) => !path.endsWith('.ts') })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  return join(folder, 'bin/dagctl.mjs')
}
