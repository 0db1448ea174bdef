/** The section of docs/pipeline.md on groups, with the files of docs/examples/use. */
import { readFileSync } from 'node:fs'

/** The section's lines. */
export function useSection(): readonly string[] {
  return [
    '## Groups: `use`, `inputs`, `outputs`',
    '',
    'A task with `use` stands for another file: a group. The path is relative to the file that it stands in.',
    '',
    ...example('support-bot.yaml'),
    ...example('prepare.yaml'),
    '- The tasks of the file become `prepare.collect` and `prepare.keep`. The group starts by its own `needs`, `trigger` and',
    '  `when`, its tasks then by theirs. It ends with them: failed if one of them failed, else cancelled if one was, else',
    '  succeeded if one succeeded, else skipped.',
    '- `inputs` are JSON Schemas; `default` makes one optional. `with` is checked against them. `outputs` are templates, and',
    '  `tasks.prepare.outputs.first` has the type of its template. An output of a task that may be skipped needs `default`.',
    '- Nothing else is seen through the border. The file sees its `inputs` and its own tasks, not `params`, `run`, `env` or',
    '  other tasks: what it needs of them is an input. From outside, only `outputs` and `state` of the group are seen.',
    '- Such a task takes `with`, `needs`, `when`, `trigger`, `foreach`, `key`, `maxParallel` and `description`. Such a file has',
    '  no `params`, `schedule`, `concurrency`, `deadline` or `budget`; its `defaults` hold in it, those of the pipeline do not.',
    '- Files may use files, 20 deep and 32 MiB in all. Files that use each other are an error, which names the way.',
    '- Commands and globs in it are relative to the folder of the pipeline that runs, wherever the file lies.',
    '- The version of the pipeline holds what is in the files that it uses, not where they lie. `dagctl validate` checks a file',
    '  with `inputs` or `outputs` by itself, and with each pipeline that uses it; `dagctl run` refuses it.',
    '',
  ]
}

function example(file: string): readonly string[] {
  const text = readFileSync(new URL(`../docs/examples/use/${file}`, import.meta.url), 'utf8')
  return [`\`${file}\`:`, '```yaml', text.trimEnd(), '```', '']
}
