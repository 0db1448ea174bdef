/** The examples of docs/pipeline.md: whole pipeline files in docs/examples, each opening with its title and its text. */
import { readdirSync, readFileSync } from 'node:fs'

/** One example. */
export interface Example {
  /** Its file in docs/examples. */
  readonly file: string
  /** Markdown: the keys that it shows. */
  readonly title: string
  /** Markdown, lines as they are in the comment. */
  readonly prose: string
  /** The pipeline file without that comment. */
  readonly yaml: string
}

const folder = new URL('../docs/examples/', import.meta.url)

/** All examples, in the order of their names. */
export function pipelineExamples(): readonly Example[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .sort()
    .map((file) => exampleOf(file, readFileSync(new URL(file, folder), 'utf8')))
}

function exampleOf(file: string, text: string): Example {
  const lines = text.split('\n')
  const start = lines.findIndex((line) => !line.startsWith('#'))
  const [title = '', ...prose] = lines.slice(0, start).map((line) => line.replace(/^# ?/, ''))
  return { file, title, prose: prose.join('\n').trim(), yaml: lines.slice(start).join('\n').trim() }
}
