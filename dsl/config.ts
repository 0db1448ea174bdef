/** dagctl.yaml to the settings of an installation, with everything that is wrong with it. Finds and opens nothing. */
import { parseDuration } from '../engine/duration.ts'
import type { JsonSchema } from '../engine/json.ts'
import type { Resources } from '../engine/resources.ts'
import type { Retention } from '../engine/retention.ts'
import { validate as matches } from '../schemas/config.check.generated.js'
import type { ConfigFile } from '../schemas/config.generated.ts'
import schema from '../schemas/config.schema.json' with { type: 'json' }
import { parse } from './parse.ts'
import type { Path } from './positions.ts'
import { inFileOrder, type Problem } from './problems.ts'
import { Report } from './report.ts'
import type { FileKind, Source } from './source.ts'
import { configNotYet } from './unsupported.ts'
import { quote } from './words.ts'

/** The settings of an installation. */
export interface Installation {
  /** As written: relative to the file. null is the default. */
  readonly data: string | null
  readonly store: string | null
  readonly resources: Resources
  /** Names of environment variables that pipelines may read. */
  readonly env: readonly string[]
  /** Attempts at once; what is absent is the queue's own default. */
  readonly slots: { readonly process?: number; readonly inline?: number }
  readonly retention: Retention
}

/** What reading a dagctl.yaml came to. */
export interface ReadConfig {
  /** null if and only if there is a problem. */
  readonly installation: Installation | null
  /** In file order. */
  readonly problems: readonly Problem[]
}

const configFile: FileKind = {
  name: 'dagctl.yaml',
  content: 'settings',
  least: null,
  single: 'one file, one installation',
}

/** Reads a dagctl.yaml. Never throws for what is in the file. */
export async function readConfig(source: Source): Promise<ReadConfig> {
  const parsed = parse(source, configFile)
  const report = new Report(parsed)
  if (parsed.value !== undefined) await check(parsed.value, report)
  const problems = inFileOrder(report.problems)
  const installation = report.failed ? null : installationOf(parsed.value as ConfigFile)
  return { installation, problems }
}

type Mapping = { readonly [key: string]: unknown }

async function check(value: Mapping, report: Report): Promise<void> {
  for (const key of configNotYet)
    if (Object.hasOwn(value, key))
      report.atKey([key], { code: 'E115', message: `${quote(key)} is not supported yet` })
  if (matches(value)) checkRetention(value as ConfigFile, report)
  else await tellMismatches(value, report)
}

async function tellMismatches(value: Mapping, report: Report): Promise<void> {
  const { validatorOf } = await import('./json-schema.ts')
  for (const { code, message, subject, path, atKey, hint } of validatorOf(schema as JsonSchema)(value)) {
    const complaint = { code, message: subject ? `${quote(path.join('.'))} ${message}` : message, hint }
    if (atKey) report.atKey(path, complaint)
    else report.atValue(path, complaint)
  }
}

/** Durations that match their pattern but are too long for a whole number of milliseconds. */
function checkRetention({ retention: { runs, ...others } = {} }: ConfigFile, report: Report): void {
  const durations: [Path, string | undefined][] = [
    [['retention', 'runs', 'age'], runs?.age],
    ...Object.entries(others).map(([key, text]): [Path, string] => [['retention', key], text as string]),
  ]
  for (const [path, text] of durations) {
    if (text === undefined || parseDuration(text) !== null) continue
    report.atValue(path, { code: 'E113', message: `${quote(path.join('.'))} is too long a duration` })
  }
}

function installationOf({ data, store, pools, rates, env, slots, retention }: ConfigFile): Installation {
  const named = Object.entries(pools ?? {}).map(([name, { slots, gpus = 0 }]) => [name, { slots, gpus }])
  return {
    data: data ?? null,
    store: store ?? null,
    resources: {
      pools: Object.fromEntries(named),
      rates: { cpu: rates?.cpu ?? 0, gpu: rates?.gpu ?? 0, pools: rates?.pools ?? {} },
    },
    env: env ?? [],
    slots: slots ?? {},
    retention: retentionOf(retention ?? {}),
  }
}

function retentionOf({ runs, ...others }: NonNullable<ConfigFile['retention']>): Retention {
  const kept = Object.entries(others).map(([key, text]) => [key, parseDuration(text as string)])
  const { age, count } = runs ?? {}
  return {
    ...Object.fromEntries(kept),
    ...(runs && {
      runs: {
        ...(age !== undefined && { age: parseDuration(age) as number }),
        ...(count !== undefined && { count }),
      },
    }),
  }
}
