/** `dagctl graph PIPELINE`: the compiled graph as text, DOT, Mermaid or JSON. */
import { exits } from '../../engine/errors.ts'
import type { Pipeline } from '../../engine/pipeline.ts'
import { action, type Call, type Declare, examples, printJson } from '../command.ts'
import { toDot, toMermaid, toText } from '../graph-drawings.ts'
import { findPipeline } from '../pipelines.ts'
import { unsupported } from '../settings.ts'

/** Declares `dagctl graph`. */
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
    tasks: tasks.map(({ id, uses, version, isGroup, group, needs, trigger, runtime, when }) => ({
      id,
      uses: isGroup ? null : `${uses}@${version}`,
      ...(group === undefined ? {} : { group: tasks[group]?.id }),
      needs: needs.map((need) => tasks[need]?.id),
      trigger,
      runtime,
      when,
    })),
  }
}
