/** What every command is made of: how it is declared, and what it is called with. Knows no single command. */
import type { Command } from 'commander'
import {
  type Config,
  configPath,
  type GlobalOptions,
  noConfig,
  type Settings,
  settingsOf,
} from './settings.ts'
import type { Terminal } from './terminal.ts'

/** What a command's declaration is given. */
export interface Context {
  readonly terminal: Terminal
  /** Sets the exit of the process. */
  exit(code: number): void
}

/** Gives a command its arguments, options, examples and action. */
export type Declare = (command: Command, context: Context) => void

/** A command as it was called. */
export interface Call<Options = object> {
  readonly terminal: Terminal
  readonly settings: Settings
  readonly options: Options
}

/**
 * The action of a command: reads dagctl.yaml, checks the global options, runs, sets the exit.
 * @param formats values of --format, the first the default
 * @param broken whether the command also works where dagctl.yaml has errors: it then has the default settings
 */
export function action<Options>(
  context: Context,
  run: (call: Call<Options>, ...words: never[]) => Promise<number>,
  formats?: readonly string[],
  broken: 'refused' | 'ignored' = 'refused',
): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals() as Options & GlobalOptions
    const config = await configOf(options.config, context.terminal, broken)
    const settings = settingsOf(options, context.terminal, config, formats)
    const call = { terminal: context.terminal, settings, options }
    context.exit(await run(call, ...(given.slice(0, -2) as never[])))
  }
}

async function configOf(
  given: string | undefined,
  terminal: Terminal,
  broken: 'refused' | 'ignored',
): Promise<Config> {
  const path = configPath(given, terminal.cwd)
  if (path === null) return noConfig
  const { readConfigFile } = await import('./config.ts')
  return readConfigFile(path, terminal, broken)
}

/** For an option that may be given many times. */
export function collect(value: string, before: readonly string[] = []): string[] {
  return [...before, value]
}

/** What a command that prints a run may be asked for besides. */
export interface RunOptions {
  readonly instances?: boolean
  readonly attempts?: boolean
}

/** Declares `RunOptions`. */
export function runOptions(command: Command): Command {
  return command
    .option('--instances', 'also the instances of mapped tasks')
    .option('--attempts', 'also what became of each attempt')
}

/** The part of a command's help that shows how it is used. */
export function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ dagctl ${line}`).join('\n')}\n`
}

/** Prints the one JSON document of a command. */
export function printJson(terminal: Terminal, document: unknown): void {
  terminal.out.write(`${JSON.stringify(document, null, 2)}\n`)
}
