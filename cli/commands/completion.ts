/** `dagctl completion bash|zsh|fish`: a script that completes commands and options. */
import { Argument, type Command } from 'commander'
import { exits } from '../../engine/errors.ts'
import { action, type Call, type Context, type Declare, examples, printJson } from '../command.ts'

/** What may follow a command's name. */
interface Completed {
  /** With its parent's: `runs list`. */
  readonly name: string
  readonly summary: string
  readonly words: readonly string[]
}

/** Declares `dagctl completion`. */
export const completion: Declare = (command, context) => {
  command
    .addArgument(new Argument('<shell>', 'your shell').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', examples('completion bash > ~/.local/share/bash-completion/completions/dagctl'))
    .action(action(context, print, undefined, 'ignored'))

  async function print({ terminal, settings }: Call, shell: 'bash' | 'zsh' | 'fish'): Promise<number> {
    const script = writers[shell](await complete(command.parent as Command, context))
    if (settings.json) printJson(terminal, { shell, script })
    else terminal.out.write(script)
    return exits.ok
  }
}

/** Loads every command to learn its options. */
async function complete(program: Command, context: Context): Promise<readonly Completed[]> {
  const { loadAll } = await import('../program.ts')
  await loadAll(program, context)
  const globals = optionsOf(program)
  return program.commands.flatMap((command) => [
    {
      name: command.name(),
      summary: command.description(),
      words: [...command.commands.map((sub) => sub.name()), ...optionsOf(command), ...globals],
    },
    ...command.commands.map((sub) => ({
      name: `${command.name()} ${sub.name()}`,
      summary: sub.description(),
      words: [...optionsOf(sub), ...globals],
    })),
  ])
}

function optionsOf(command: Command): readonly string[] {
  return command.options.flatMap(({ hidden, long }) => (hidden || long == null ? [] : [long]))
}

function bash(completed: readonly Completed[]): string {
  const top = completed.filter(({ name }) => !name.includes(' ')).map(({ name }) => name)
  const nested = [
    ...new Set(completed.flatMap(({ name }) => (name.includes(' ') ? [name.split(' ')[0]] : []))),
  ]
  const cases = completed.map(({ name, words }) => `    '${name}') words='${words.join(' ')}' ;;`)
  return `_dagctl() {
  local current="\${COMP_WORDS[COMP_CWORD]}" name="\${COMP_WORDS[1]}" words=''
  case "$name" in ${nested.join('|')}) [[ $COMP_CWORD -gt 2 ]] && name="$name \${COMP_WORDS[2]}" ;; esac
  [[ $COMP_CWORD -eq 1 ]] && name=''
  case "$name" in
    '') words='${top.join(' ')}' ;;
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _dagctl dagctl
`
}

function zsh(completed: readonly Completed[]): string {
  return `autoload -Uz bashcompinit && bashcompinit\n${bash(completed)}`
}

function fish(completed: readonly Completed[]): string {
  const lines = completed.flatMap(({ name, summary, words }) => {
    const [first, second] = name.split(' ') as [string, string?]
    const seen = `__fish_seen_subcommand_from ${first}`
    const within = second === undefined ? seen : `${seen}; and __fish_seen_subcommand_from ${second}`
    const named =
      second === undefined
        ? `complete -c dagctl -n __fish_use_subcommand -a ${first} -d '${summary.replaceAll("'", '')}'`
        : `complete -c dagctl -n '${seen}' -a ${second} -d '${summary.replaceAll("'", '')}'`
    const options = words.filter((word) => word.startsWith('--'))
    return [named, ...options.map((word) => `complete -c dagctl -n '${within}' -l ${word.slice(2)}`)]
  })
  return `${lines.join('\n')}\n`
}

const writers = { bash, zsh, fish }
