/** The broken pipeline files: those in test/golden/broken, and those too odd to be kept as files. Knows no command line. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where the fixtures and their expected texts lie. */
export const brokenFolder = fileURLToPath(new URL('../golden/broken/', import.meta.url))

/** One broken file. */
export interface BrokenFile {
  readonly name: string
  /** Its bytes; null where it is no file at all: the command line meets these. */
  readonly bytes: Uint8Array | null
  /** The exit of the command line: 3 for an invalid pipeline, 2 for what cannot be read. */
  readonly exit: 2 | 3
  /** Makes it in `folder` as `NAME.yaml`, and gives its path. */
  place(folder: string): string
}

/** All broken files, by name. `expected(name)` is the golden text of each. */
export function brokenFiles(): readonly BrokenFile[] {
  const kept = readdirSync(brokenFolder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => ofBytes(name.slice(0, -'.yaml'.length), readFileSync(join(brokenFolder, name))))
  const made = Object.entries(tooOdd).map(([name, make]) => ofBytes(name, make()))
  return [...kept, ...made, folder, missing].sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** The golden text of a broken file, or null where there is none. */
export function expectedText(name: string): string | null {
  try {
    return readFileSync(join(brokenFolder, `${name}.txt`), 'utf8')
  } catch {
    return null
  }
}

function ofBytes(name: string, bytes: Uint8Array): BrokenFile {
  const place = (folder: string) => {
    const path = join(folder, `${name}.yaml`)
    writeFileSync(path, bytes)
    return path
  }
  return { name, bytes, exit: 3, place }
}

const head = 'dagctl: 1\npipeline: broken\n'
const utf8 = (text: string) => new TextEncoder().encode(text)

const tooOdd: { readonly [name: string]: () => Uint8Array } = {
  'nul-byte': () => utf8(`${head}description: a\0b\ntasks:\n  extract: { uses: Noop }\n`),
  'control-character': () => utf8(`${head}description: "\u001b[2J"\ntasks:\n  extract: { uses: Noop }\n`),
  'bad-utf-8': () =>
    new Uint8Array([
      ...utf8(`${head}description: caf`),
      0xe9,
      ...utf8('\ntasks:\n  extract: { uses: Noop }\n'),
    ]),
  'cut-utf-8': () => new Uint8Array([...utf8(`${head}description: caf`), 0xc3]),
  'utf-16': () => new Uint8Array([0xff, 0xfe, ...[...head].flatMap((letter) => [letter.charCodeAt(0), 0])]),
  'deep-flow': () => utf8(`${head}params: ${'['.repeat(5000)}${']'.repeat(5000)}\n`),
  'deep-block': () =>
    utf8(
      `${head}params:\n${Array.from({ length: 5000 }, (_, depth) => `${' '.repeat(depth + 1)}a:`).join('\n')}\n`,
    ),
  'too-large': () => utf8(`${head}description: ${'x'.repeat(33 * 1024 * 1024)}\n`),
  binary: () => new Uint8Array([0x7f, 0x45, 0x4c, 0x46, 0x02, 0x01, 0x01, 0x00]),
}

const folder: BrokenFile = {
  name: 'folder',
  bytes: null,
  exit: 2,
  place(parent) {
    const path = join(parent, 'folder.yaml')
    mkdirSync(path)
    return path
  },
}

const missing: BrokenFile = {
  name: 'missing',
  bytes: null,
  exit: 2,
  place: (parent) => join(parent, 'missing.yaml'),
}
