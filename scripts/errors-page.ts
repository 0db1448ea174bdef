/** docs/errors.md, from the tables of codes. */
import { codes as ofCommandLine } from '../cli/codes.ts'
import { codes as ofPipelines } from '../dsl/codes.ts'
import { failureKinds } from '../engine/errors.ts'

/** The engine's codes, which stand where they are thrown. */
const ofEngine = {
  E150: 'A cron expression that cannot be read.',
  E151: 'A time zone that the IANA database does not have.',
  E152: 'A time or an interval that cannot be read.',
  E501: 'The database cannot be opened or written.',
  E502: 'The database was made by a newer dagctl.',
  E503: 'The engine cannot go on: its store, queue or disk failed.',
  E700: 'dagctl contradicts itself.',
}

const all = Object.entries({ ...ofEngine, ...ofPipelines, ...ofCommandLine }).sort(([a], [b]) =>
  order(a) < order(b) ? -1 : 1,
)

/** Errors before warnings. */
function order(code: string): string {
  return `${code.startsWith('W')}${code}`
}

function table(pattern: RegExp): string {
  const rows = all
    .filter(([code]) => pattern.test(code))
    .map(([code, meaning]) => `| ${code} | ${meaning} |\n`)
  return `| code | what |\n|---|---|\n${rows.join('')}`
}

/** The text of docs/errors.md. */
export function errorsPage(): string {
  return `# Errors

Every error has a code that stays the same, a sentence that says what and which name, and where possible a hint. Problems of a pipeline file also have a place: \`dagctl validate\` prints all of them at once, with the line and the marks under it.

\`\`\`
support-bot.yaml:41:18 error E120 unknown output \`shard\` of task \`ingest\`
   41 |     foreach: "{{ tasks.ingest.outputs.shard }}"
      |                  ^^^^^^^^^^^^^^^^^^^^^^^^^^ did you mean \`shards\`?
\`\`\`

The exits of the command line: 0 fine, 2 usage, 3 invalid pipeline, 4 the run failed, 5 infrastructure, 70 a bug of dagctl, 130 Ctrl-C. What a task fails with has a kind instead of a code: ${failureKinds.map((kind) => `\`${kind}\``).join(' ')}.

## Pipeline files and parameters

E100 to E152 and E180 to E183 make a file invalid (exit 3). W1xx are lint: warnings, errors with \`--strict\`. E160 to E162 fail a task with \`invalid_input\`, in a gate with \`gate_failed\`. E170 to E172 are usage (exit 2). E190 to E192 fail a case of \`dagctl test\` (exit 4).

${table(/^[EW]1/)}
## The command line

Exit 2, but for E301 and E302, whose exit is 3.

${table(/^E[23]/)}
## Infrastructure and bugs

E5xx are exit 5: nothing is lost, and the same command goes on once the cause is gone. E700 is exit 70: please report it.

${table(/^E[57]/)}`
}
