/** What can and cannot be seen through the border of a group: the sentences. Knows no types. */
import { quote } from './words.ts'

/** What is said, and what to do instead. */
export interface Hidden {
  readonly code: 'E122'
  readonly message: string
  readonly hint: string
}

/** Names of the pipeline that a file made for others must be given. */
const ofPipeline: ReadonlySet<string> = new Set(['params', 'run', 'env'])

/** What is said of a name of the pipeline in a file that others use; null for any other name. */
export function notInUsedFile(parts: readonly string[]): Hidden | null {
  const [root = '', name = 'NAME'] = parts
  if (!ofPipeline.has(root)) return null
  return {
    code: 'E122',
    message: `${quote(root)} cannot be seen in a file that others use`,
    hint: `pass it as an input: \`inputs.${name}\``,
  }
}

/** What is said of `inputs` in a pipeline of its own. */
export const noInputs: Hidden = {
  code: 'E122',
  message: 'only a file that others use has `inputs`',
  hint: 'a pipeline has `params`',
}

/** What is said of `tasks.GROUP.TASK`. */
export function insideGroup(group: string, task: string): Hidden {
  return {
    code: 'E122',
    message: `${quote(task)} is inside the group ${quote(group)}, where only its file sees it`,
    hint: `give it as an output of the group, and write \`tasks.${group}.outputs.NAME\``,
  }
}

/** The hint for a task that the file does not have, where the file is made for others. */
export const passTask = 'a file that others use sees its own tasks only: pass the value as an input'
