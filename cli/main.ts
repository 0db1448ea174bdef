/** The command line's entry: arguments in, exit out. Every error ends here. */
import { exits } from '../engine/errors.ts'
import { fail } from './failure.ts'
import { ownVersion } from './package.ts'
import { processTerminal, type Terminal } from './terminal.ts'

/** Runs one command line and gives its exit. Never throws. @param words without the program's name */
export async function main(words: readonly string[], terminal: Terminal): Promise<number> {
  let exit: number = exits.ok
  try {
    const { makeProgram } = await import('./program.ts')
    const program = makeProgram({ terminal, exit: (code) => (exit = code) }, ownVersion())
    await program.parseAsync(words, { from: 'user' })
    return exit
  } catch (error) {
    const json = wantsJson(words)
    return isCommander(error) ? usageExit(error, terminal, json) : fail(error, terminal, json)
  }
}

/** Runs this process' command line. */
export async function launch(): Promise<void> {
  const words = process.argv.slice(2)
  const terminal = processTerminal()
  // Thrown where no command waits for it: in a call of the system. What was committed is there for a later command.
  process.on('uncaughtException', (error) => terminal.leave(fail(error, terminal, wantsJson(words))))
  process.exitCode = await main(words, terminal)
}

function wantsJson(words: readonly string[]): boolean {
  return (
    words.includes('--json') || words.join(' ').includes('--format json') || words.includes('--format=json')
  )
}

interface CommanderError extends Error {
  readonly code: string
  readonly exitCode: number
}

function isCommander(error: unknown): error is CommanderError {
  return error instanceof Error && String((error as Partial<CommanderError>).code).startsWith('commander.')
}

/** Commander has printed its message already. */
function usageExit(error: CommanderError, { out }: Terminal, json: boolean): number {
  if (error.exitCode === 0) return exits.ok
  if (json) {
    const help = error.code === 'commander.help'
    const message = help ? 'no command was given' : error.message.replace(/^error: /, '')
    out.write(`${JSON.stringify({ error: { code: 'E201', kind: 'usage', message, hint: null } }, null, 2)}\n`)
  }
  return exits.usage
}
