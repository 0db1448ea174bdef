/** The commands by name. Each is loaded only when it is called, so that starting costs what is needed. */
import { Command } from 'commander'
import type { Context, Declare } from './command.ts'

interface Entry {
  readonly name: string
  readonly summary: string
  load(): Promise<Declare>
}

const entries: readonly Entry[] = [
  {
    name: 'init',
    summary: 'make a ready folder from a template',
    load: async () => (await import('./commands/init.ts')).init,
  },
  {
    name: 'validate',
    summary: 'check pipeline files, as far as that goes without running them',
    load: async () => (await import('./commands/validate.ts')).validate,
  },
  {
    name: 'test',
    summary: "play a pipeline's own tests, on virtual time",
    load: async () => (await import('./commands/test.ts')).test,
  },
  {
    name: 'graph',
    summary: 'show the compiled graph of a pipeline',
    load: async () => (await import('./commands/graph.ts')).graph,
  },
  {
    name: 'plan',
    summary: 'show what would run for an interval, without running it',
    load: async () => (await import('./commands/plan.ts')).plan,
  },
  {
    name: 'run',
    summary: 'run a pipeline now, in this process',
    load: async () => (await import('./commands/run.ts')).run,
  },
  {
    name: 'backfill',
    summary: 'run a pipeline for the intervals of a range',
    load: async () => (await import('./commands/backfill.ts')).backfill,
  },
  {
    name: 'backfills',
    summary: 'list, show, pause, resume and cancel backfills',
    load: async () => (await import('./commands/backfills.ts')).backfills,
  },
  {
    name: 'next',
    summary: 'show when a pipeline is due next',
    load: async () => (await import('./commands/next.ts')).next,
  },
  {
    name: 'serve',
    summary: 'run pipelines by their schedules',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  {
    name: 'runs',
    summary: 'list and show runs; cancel, pause, resume, retry, rerun and mark them',
    load: async () => (await import('./commands/runs.ts')).runs,
  },
  {
    name: 'approvals',
    summary: 'list what waits for a person, and answer it',
    load: async () => (await import('./commands/approvals.ts')).approvals,
  },
  {
    name: 'datasets',
    summary: 'list datasets and when they were updated, or say that one was',
    load: async () => (await import('./commands/datasets.ts')).datasets,
  },
  {
    name: 'logs',
    summary: 'show what the tasks of a run logged',
    load: async () => (await import('./commands/logs.ts')).logs,
  },
  {
    name: 'why',
    summary: 'say what a task waits for, or why it ended as it did',
    load: async () => (await import('./commands/why.ts')).why,
  },
  {
    name: 'diff',
    summary: 'show what differed between two runs',
    load: async () => (await import('./commands/diff.ts')).diff,
  },
  {
    name: 'audit',
    summary: 'show, verify and export the audit log',
    load: async () => (await import('./commands/audit.ts')).audit,
  },
  {
    name: 'db',
    summary: 'prune what is kept no longer',
    load: async () => (await import('./commands/db.ts')).db,
  },
  {
    name: 'operators',
    summary: 'list the operators, or describe one',
    load: async () => (await import('./commands/operators.ts')).operators,
  },
  {
    name: 'completion',
    summary: 'print a completion script for a shell',
    load: async () => (await import('./commands/completion.ts')).completion,
  },
]

/** The program, ready to parse arguments. What cannot be read is thrown as commander's error, already printed. */
export function makeProgram(context: Context, version: string): Command {
  const { out, err } = context.terminal
  const program = new Command('dagctl')
    .description('Runs DAG pipelines of LLM data and training, from one YAML file, and loses nothing.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => out.write(text),
      writeErr: (text) => err.write(text),
      getOutHelpWidth: () => Math.min(out.columns, 120),
      getErrHelpWidth: () => Math.min(err.columns, 120),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
      outputError: (text, write) => write(text),
    })
    .configureHelp({ showGlobalOptions: true })
    .addHelpText(
      'after',
      '\nResults go to standard output; errors, progress and notes to standard error.\n' +
        'Exits: 0 fine, 2 usage, 3 invalid pipeline, 4 the run or a test failed, 5 infrastructure, 70 our bug, 130 Ctrl-C.\n' +
        'Wherever a pipeline is named, a word with / or ending in .yaml is a file, anything else a pipeline that the store knows.',
    )
  addGlobals(program)
  for (const { name, summary } of entries) program.command(name).description(capital(summary))
  program.hook('preSubcommand', async (_program, command) => {
    const entry = entries.find(({ name }) => name === command.name())
    if (entry !== undefined) (await entry.load())(command, context)
  })
  return program
}

/** Declares every command that is not declared yet, for whoever needs them all. */
export async function loadAll(program: Command, context: Context): Promise<void> {
  for (const command of program.commands) {
    const entry = entries.find(({ name }) => name === command.name())
    if (entry === undefined || command.options.length + command.registeredArguments.length > 0) continue
    ;(await entry.load())(command, context)
  }
}

function addGlobals(program: Command): void {
  program
    .option('--data <dir>', 'folder for runs, logs and results (default: .dagctl)')
    .option(
      '--store <url>',
      'where the state is kept: sqlite:PATH (default: in the data folder; DAGCTL_STORE)',
    )
    .option('--queue <url>', 'where attempts run: local (default; DAGCTL_QUEUE)')
    .option(
      '--config <file>',
      'settings of the installation (default: dagctl.yaml here or in a folder above)',
    )
    .option('--json', 'one JSON document on standard output, the same as --format json')
    .option('--format <format>', 'text, json, or what the command offers besides')
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
