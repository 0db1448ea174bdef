/** `dagctl init [DIR] --template NAME`: a ready folder from a template that comes with dagctl. */

import { existsSync } from 'node:fs'
import { cp, mkdir, readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DagctlError, exits } from '../../engine/errors.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { packageRoot } from '../package.ts'
import { unsupported, wrongOption } from '../settings.ts'

interface Options {
  readonly template: string
}

/** Templates that there are, and what to do in the folder that each makes. */
const templates: { readonly [name: string]: readonly string[] } = {
  quickstart: ['dagctl run pipeline.yaml'],
}

/** Templates of the design that later versions bring. */
const later: readonly string[] = ['llama', 'plugin']

export const init: Declare = (command, context) => {
  command
    .argument('[dir]', 'the folder to fill; it is made where it is not there', '.')
    .option(
      '--template <name>',
      'quickstart: a pipeline from raw text to a tokenized training set',
      'quickstart',
    )
    .addHelpText('after', examples('init my-corpus --template quickstart'))
    .action(action<Options>(context, make))
}

async function make({ terminal, settings, options }: Call<Options>, dir: string): Promise<number> {
  const { template } = options
  const steps = Object.hasOwn(templates, template) ? templates[template] : undefined
  if (steps === undefined) {
    if (later.includes(template)) throw unsupported(`--template ${template}`, 'quickstart is there')
    throw wrongOption(`there is no template ${template}`, `one of ${Object.keys(templates).join(', ')}`)
  }
  const source = fileURLToPath(new URL(`cli/templates/${template}/`, packageRoot))
  const target = resolve(terminal.cwd, dir)
  const files = await filesOf(source)
  const inTheWay = files.find((file) => existsSync(join(target, file)))
  if (inTheWay !== undefined) {
    throw new DagctlError('E211', `${join(dir, inTheWay)} is there already; nothing was written`, {
      kind: 'usage',
      hint: 'name another folder',
    })
  }
  await mkdir(target, { recursive: true })
  for (const file of files)
    await cp(join(source, file), join(target, file), { errorOnExist: true, force: false })
  if (settings.json) printJson(terminal, { folder: target, files })
  else tell(terminal.out, { dir, files, steps })
  return exits.ok
}

function tell(
  out: { write(text: string): void },
  {
    dir,
    files,
    steps,
  }: { readonly dir: string; readonly files: readonly string[]; readonly steps: readonly string[] },
): void {
  out.write(`made ${join(dir, '.')} with ${files.length} files\n\nnext:\n`)
  if (dir !== '.') out.write(`  cd ${dir}\n`)
  for (const step of steps) out.write(`  ${step}\n`)
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}
