/** Which commands need no shell. Pure. */

/** What a shell does by itself, or reads as grammar: POSIX.1-2024, and what dash, bash and busybox have besides. */
const shellsOwn = new Set(
  `. : [ [[ alias bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc declare dirs disown do
  done echo elif else enable esac eval exec exit export false fc fg fi for function getopts hash help history if in jobs kill
  let local logout mapfile popd printf pushd pwd read readarray readonly return select set shift shopt source suspend test
  then time times trap true type typeset ulimit umask unalias unset until wait while`.split(/\s+/),
)

/**
 * The words of a command that a shell would only split at blanks and start, so that the program can be started without one;
 * null for any other. What it cannot tell for sure is another.
 */
export function plainWords(command: string): readonly string[] | null {
  if (!/^[\w@%+=:,./ -]+$/.test(command)) return null
  const words = command.split(' ').filter((word) => word !== '')
  const [program] = words
  // `A=1 ./run` assigns; `=ls` is a path to some shells.
  if (program === undefined || /^[-+]|=/.test(program) || words.some((word) => word.startsWith('=')))
    return null
  return shellsOwn.has(program) ? null : words
}
