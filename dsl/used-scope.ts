/** What can and cannot be seen through the border of a group: the sentences. Knows no types. */
import type { Fault } from './references.ts'
import { quote } from './words.ts'

/** Names of the pipeline that a file made for others must be given. */
const ofPipeline: ReadonlySet<string> = new Set(['params', 'run', 'env'])

/** What is said of a name of the pipeline in a file that others use; null for any other name. */
export function notInUsedFile(parts: readonly string[]): Fault | null {
  const [root = '', name = 'NAME'] = parts
  if (!ofPipeline.has(root)) return null
  return {
    code: 'E122',
    message: `${quote(root)} cannot be seen in a file that others use`,
    hint: `pass it as an input: \`inputs.${name}\``,
  }
}

/** What is said of `inputs` in a pipeline of its own. */
export const noInputs: Fault = {
  code: 'E122',
  message: 'only a file that others use has `inputs`',
  hint: 'a pipeline has `params`',
}

/** What is said of `tasks.GROUP.TASK`. */
export function insideGroup(group: string, task: string): Fault {
  return {
    code: 'E122',
    message: `${quote(task)} is inside the group ${quote(group)}, where only its file sees it`,
    hint: `give it as an output of the group, and write \`tasks.${group}.outputs.NAME\``,
  }
}

/** The hint for a task that the file does not have, where the file is made for others. */
export const passTask = 'a file that others use sees its own tasks only: pass the value as an input'
