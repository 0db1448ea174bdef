/** docs/configuration.md: every key of dagctl.yaml, from its JSON Schema, with an example that a test reads. */
import { readFileSync } from 'node:fs'
import { configNotYet } from '../dsl/unsupported.ts'
import type { JsonSchema } from '../engine/json.ts'
import { section } from './pipeline-page.ts'

type Properties = { readonly [name: string]: JsonSchema }

/** A whole dagctl.yaml. */
const example = `dagctl: 1
data: /var/lib/dagctl
store: sqlite:/var/lib/dagctl/dagctl.db
pools:
  gpu: { slots: 4, gpus: 1 }       # four tasks with \`pool: gpu\` at once, over all runs
  warehouse: { slots: 2 }
rates: { cpu: 0.04, gpu: 2.5, pools: { warehouse: 1.2 } }
env: [HF_HOME, TEAM]               # \`{{ env.TEAM }}\` in pipelines
slots: { process: 8, inline: 1024 }
retention:
  runs: { age: 90d, count: 10000 }
  logs: 30d
  checkpoints: 14d
`

/** The page's text. */
export function configPage(): string {
  const schema = JSON.parse(readFileSync(new URL('../schemas/config.schema.json', import.meta.url), 'utf8'))
  const definitions = schema.$defs as Properties
  const of = (name: string) => (definitions[name]?.properties ?? {}) as Properties
  const parts = [
    '# dagctl.yaml',
    '',
    'Generated from schemas/config.schema.json by `npm run generate`; do not edit. The settings of an installation.',
    'Everything has a default; none is needed.',
    '',
    'The file is the one that `--config FILE` names, else the first `dagctl.yaml` found upward from the working folder.',
    'What the command line or the environment says wins over it. Unknown keys are errors, with their place and what was',
    'probably meant; `dagctl validate` shows all of them at once, and so does every command that uses the file (exit 3).',
    'Until they are mended, `validate` holds no pipeline against its pools and variables. Keys marked *not yet* are',
    'refused where they stand, until they work.',
    '',
    '```yaml',
    example.trimEnd(),
    '```',
    '',
    'For completion in an editor begin the file with `# yaml-language-server: $schema=PATH`, where PATH is that of',
    '`schemas/config.schema.json` in the package.',
    '',
    ...section('Keys of the file', schema.properties, configNotYet, definitions),
    ...section('A pool', of('pool'), [], definitions),
    ...section('`rates`', of('rates'), [], definitions),
    ...section('`slots`', of('slots'), [], definitions),
    ...section('`retention`', of('retention'), [], definitions),
    '`dagctl serve` prunes at its start and then once an hour; `dagctl db prune` does it now, and with `--dry-run` says what would go. Runs that have not ended stay, and so do the last of each pipeline that succeeded, runs of an unfinished backfill, runs that an active one triggered, and those whose outputs another run took. What a backfill finds missing is what is no longer kept.',
    '',
    ...section('`retention.runs`', of('kept'), [], definitions),
  ]
  return `${parts.join('\n').trimEnd()}\n`
}
