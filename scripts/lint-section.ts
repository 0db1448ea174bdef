/** The section of docs/pipeline.md on lint. */

/** The section's lines. */
export const lintSection: readonly string[] = [
  '## Lint',
  '',
  'What is allowed but probably a mistake is a warning; with `dagctl validate --strict` an error. It is looked at when there is',
  'no error, and through groups.',
  '',
  '- **W101**: personal data comes to a task of the stages training, evaluation or deployment without `PIIMasker` on every',
  '  path. Data enters by the first operators of the stage data, sensors excepted. It goes along what is referred to',
  '  (`tasks.X.outputs` in `with`, `env` and so on; through a group along the inputs and outputs that mention it) and along',
  '  `needs`, as what stands behind a task may read the files that it left. It does not go along what only `when`, `gate` or',
  '  `tasks.X.state` mention, nor along `needs` of a sensor.',
  '- **W102**: a deployment (`effects: deploy`) can start although no evaluation gate passed. A gate is a task of the stage',
  '  evaluation, or a command, with `gate:`, the operator `Gate`, or a `when` that reads outputs of an evaluation. By',
  '  `all_success` one need that stands below a gate is enough; by `one_success` and `none_failed_min_one_success` every need',
  '  must; any other trigger lets the deployment start whatever the gate said. A group stands below a gate in it that cannot',
  '  be skipped.',
  '- **W103**: training without a `checkpoint`. **W104**: tasks without a `timeout`. **W105**: a schedule that never fires.',
  '  **W106**: a secret in plain text. **W109**: the file of a pipeline that `TriggerPipeline` starts is not there.',
  '',
]
