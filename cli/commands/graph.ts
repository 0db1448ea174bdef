/** `dagctl graph PIPELINE`: the compiled graph as text, DOT, Mermaid or JSON. */
import { levels } from '../../dsl/graph.ts'
import { exits } from '../../engine/errors.ts'
import type { Pipeline, Task } from '../../engine/pipeline.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { findPipeline } from '../pipelines.ts'
import { unsupported } from '../settings.ts'

export const graph: Declare = (command, context) => {
  command
    .argument('<pipeline>', 'a file, or the name of a pipeline that has run')
    .addHelpText('after', '\nFormats: text, dot (Graphviz), mermaid, json.')
    .addHelpText(
      'after',
      examples('graph pipeline.yaml', 'graph pipeline.yaml --format dot | dot -Tsvg > graph.svg'),
    )
    .action(action(context, show, ['text', 'dot', 'mermaid', 'json', 'svg']))
}

async function show({ terminal, settings }: Call, word: string): Promise<number> {
  if (settings.format === 'svg') throw unsupported('--format svg', 'use --format dot with Graphviz')
  const { pipeline } = await findPipeline(word, settings, terminal)
  if (settings.json) printJson(terminal, toDocument(pipeline))
  else terminal.out.write(writers[settings.format as keyof typeof writers](pipeline))
  return exits.ok
}

const writers = { text: toText, dot: toDot, mermaid: toMermaid }

function toDocument({ name, version, tasks }: Pipeline): object {
  return {
    pipeline: name,
    version,
    tasks: tasks.map(({ id, uses, version, needs, trigger, runtime, when }) => ({
      id,
      uses: `${uses}@${version}`,
      needs: needs.map((need) => tasks[need]?.id),
      trigger,
      runtime,
      when,
    })),
  }
}

/** Tasks level by level: a task stands one level below the lowest of its needs. */
export function toText({ tasks }: Pipeline): string {
  const heights = levels(tasks.map(({ needs }) => needs))
  const height = heights.reduce((most, level) => Math.max(most, level + 1), 0)
  const lines: string[] = []
  for (let level = 0; level < height; level++) {
    lines.push(`level ${level + 1}`)
    tasks.forEach((task, index) => {
      if (heights[index] !== level) return
      const needs = task.needs.map((need) => tasks[need]?.id).join(', ')
      const trigger = task.trigger === 'all_success' ? '' : ` [${task.trigger}]`
      lines.push(`  ${task.id} (${task.uses})${needs === '' ? '' : ` <- ${needs}`}${trigger}`)
    })
  }
  return `${lines.join('\n')}\n`
}

/** Graphviz. Ids hold letters, digits, `_` and `-` only (DSL.md), and are quoted for the `-`. */
function toDot({ name, tasks }: Pipeline): string {
  const lines = tasks.map(({ id, uses }) => `  "${id}" [label="${id}\\n${uses}"];`)
  const edges = edgesOf(tasks).map(([from, to]) => `  "${from.id}" -> "${to.id}";`)
  return [`digraph "${name}" {`, '  rankdir=LR;', '  node [shape=box];', ...lines, ...edges, '}', ''].join(
    '\n',
  )
}

/** Mermaid. Nodes are numbered: a task may be called `end`, which Mermaid keeps for itself. */
function toMermaid({ tasks }: Pipeline): string {
  const number = new Map(tasks.map(({ id }, index) => [id, index]))
  const lines = tasks.map(({ id, uses }, index) => `  t${index}["${id}<br/>${uses}"]`)
  const edges = edgesOf(tasks).map(([from, to]) => `  t${number.get(from.id)} --> t${number.get(to.id)}`)
  return ['flowchart LR', ...lines, ...edges, ''].join('\n')
}

function edgesOf(tasks: readonly Task[]): [Task, Task][] {
  return tasks.flatMap((task) => task.needs.map((need): [Task, Task] => [tasks[need] as Task, task]))
}
