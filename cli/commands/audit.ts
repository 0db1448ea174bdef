/** `dagctl audit show|verify|export`: what people did and what runs came to, and whether the log of it is as it was written. */
import { resolve } from 'node:path'
import type { AuditContent } from '../../engine/audit/log.ts'
import type { Verify } from '../../engine/audit/verify.ts'
import { toInstant } from '../../engine/clock.ts'
import { exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { oneLine, table } from '../print.ts'
import { countOf, wrongOption } from '../settings.ts'
import { reading } from '../wiring.ts'

interface Filter {
  readonly run?: string
  readonly who?: string
  readonly what?: string
  readonly limit?: string
}

interface VerifyOptions {
  readonly key?: string
  readonly export?: string
  readonly since?: string
}

/** Declares `dagctl audit`. */
export const audit: Declare = (command, context) => {
  command.addHelpText('after', examples('audit show', 'audit verify', 'audit export > audit.jsonl'))
  filtered(command.command('show').description('Show entries of the audit log, the newest first'))
    .option('--limit <count>', 'so many at most (default: 50)')
    .addHelpText('after', examples('audit show --run 20261123-154017-x7qk3m'))
    .action(action<Filter>(context, show))
  command
    .command('verify')
    .description('Check hashes, chains and signatures of the whole log, or of an exported file')
    .option('--key <file>', 'the public key to trust (default: every audit-*.pub in the data folder)')
    .option('--export <file>', 'check this exported file instead of the store')
    .option('--since <file>', 'also check that the log begins with what this exported file holds')
    .addHelpText(
      'after',
      '\nExits: 0 it is as it was written; 4 it is not: what was altered, removed, inserted or put in another order is named.\n' +
        'Whoever can write the data folder can sign anew: keep an export and the public key elsewhere.',
    )
    .addHelpText(
      'after',
      examples('audit verify', 'audit verify --since last-month.jsonl --key auditor/audit.pub'),
    )
    .action(action<VerifyOptions>(context, verifyNow))
  filtered(
    command
      .command('export')
      .description(
        'Print entries as JSON Lines, with the signed Merkle root of the whole log (RFC 6962) and a proof each',
      ),
  )
    .addHelpText('after', examples('audit export > audit.jsonl'))
    .action(action<Filter>(context, exportNow))
}

function filtered(command: Parameters<Declare>[0]): Parameters<Declare>[0] {
  return command
    .option('--run <id>', 'only of this run')
    .option('--who <name>', 'only what this person did; `engine` is what happens by itself')
    .option('--what <kind>', 'only entries of this kind, such as run.mark')
}

async function show({ terminal, settings, options }: Call<Filter>): Promise<number> {
  const limit = countOf('--limit', options.limit ?? '50')
  const { entriesOf, isChosen } = await import('../audit-log.ts')
  const chosen = isChosen(options)
  const entries = await reading(settings, async (store) => {
    const found: AuditContent[] = []
    for await (const { content } of entriesOf(store)) {
      const entry = JSON.parse(content) as AuditContent
      if (!chosen(entry)) continue
      found.push(entry)
      if (found.length > limit) found.shift()
    }
    return found.toReversed()
  })
  if (settings.json) printJson(terminal, { entries })
  else if (entries.length === 0) terminal.err.write('the audit log holds nothing of this\n')
  else {
    const rows = entries.map(({ at, who, what, subject, detail }) => [
      at,
      oneLine(who),
      what,
      oneLine(Object.values(subject).join(' ')),
      oneLine(JSON.stringify(detail)),
    ])
    terminal.out.write(`${await table(['at', 'who', 'what', 'of', 'detail'], rows)}\n`)
  }
  return exits.ok
}

async function verifyNow({ terminal, settings, options }: Call<VerifyOptions>): Promise<number> {
  if (options.export !== undefined && options.since !== undefined)
    throw wrongOption('--export and --since contradict each other', 'give one of them')
  const { cwd } = terminal
  const { keysOf, readExport, verifyExport, verifyStore } = await import('../audit-log.ts')
  const keys = keysOf(settings.data, options.key === undefined ? null : resolve(cwd, options.key))
  const verify: Verify = (key, content, signature) => keys.get(key)?.verifies(content, signature) === true
  const since = options.since === undefined ? null : readExport(options.since, cwd).head
  const { faults, entries } =
    options.export === undefined
      ? await reading(settings, (store) => verifyStore(store, verify, since))
      : verifyExport(options.export, cwd, verify)
  const names = [...keys.keys()]
  if (settings.json) printJson(terminal, { ok: faults.length === 0, entries, keys: names, faults })
  else if (faults.length === 0)
    terminal.out.write(`ok: ${entries} entries${entries === 0 ? '' : `, signed by ${names.join(', ')}`}\n`)
  else for (const { kind, message } of faults) terminal.out.write(`${kind}: ${message}\n`)
  return faults.length === 0 ? exits.ok : exits.failed
}

async function exportNow({ terminal, settings, options }: Call<Filter>): Promise<number> {
  const [{ isChosen }, { exportLines }, { signerOf }] = await Promise.all([
    import('../audit-log.ts'),
    import('../../engine/audit/export.ts'),
    import('../../engine/audit/key.ts'),
  ])
  const { entries } = await reading(settings, (store) => store.auditLog())
  const signer = entries.length === 0 ? null : signerOf(settings.data)
  if (signer === null)
    throw wrongOption(
      entries.length === 0 ? 'the audit log holds nothing yet' : `there is no audit.key in ${settings.data}`,
      'export where the log is written: the key there signs it',
    )
  const lines = exportLines(entries, {
    at: toInstant(terminal.clock.now()),
    signer,
    chosen: isChosen(options),
  })
  for (const line of lines) terminal.out.write(`${JSON.stringify(line)}\n`)
  return exits.ok
}
