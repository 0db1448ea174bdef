/** `dagctl runs manifest RUN`: what a run was made of and came to, and the digest by which that is named. */

import type { Command } from 'commander'
import { exits } from '../../engine/errors.ts'
import type { Call } from '../command.ts'
import { action, type Context, examples, printJson } from '../command.ts'
import { reading, visible } from '../wiring.ts'

/** Declares `runs manifest`. */
export function declareManifest(runs: Command, context: Context): void {
  runs
    .command('manifest')
    .description('Print what a run was made of and came to, and the digest of that')
    .argument('<run>', 'the id of a run')
    .addHelpText(
      'after',
      '\nThe digest is the SHA-256 of the manifest in canonical JSON (RFC 8785): equal digests, equal runs.',
    )
    .addHelpText('after', examples('runs manifest 20261123-154017-x7qk3m'))
    .action(action(context, show))
}

async function show({ terminal, settings }: Call, id: string): Promise<number> {
  const [{ subjectOf }, { digestOf, manifestOf }] = await Promise.all([
    import('../run-subject.ts'),
    import('../../engine/manifest.ts'),
  ])
  const manifest = manifestOf(
    await reading(settings, (store) =>
      subjectOf(store, id, visible(terminal.env, settings.installation.env)),
    ),
  )
  const digest = digestOf(manifest)
  if (settings.json) printJson(terminal, { run: id, digest, manifest })
  else terminal.out.write(`${JSON.stringify(manifest, null, 2)}\nsha256:${digest}\n`)
  return exits.ok
}
