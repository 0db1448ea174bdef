/** The examples of docs/pipeline.md, and the installation that they are meant for. Knows nothing of running. */

import { readdirSync, readFileSync } from 'node:fs'
import type { Options } from '../../dsl/compile.ts'
import { pipelineExamples } from '../../scripts/pipeline-examples.ts'

/** Every example: its name, and the text of its file. All but their commands need nothing. */
export const examples: readonly { readonly name: string; readonly text: string }[] = pipelineExamples().map(
  ({ file, yaml }) => ({ name: file.replace(/\.yaml$/, ''), text: `${yaml}\n` }),
)

const used = new URL('../../docs/examples/use/', import.meta.url)

/** The files of the example of `use`, which are compiled together: test/cli/use.test.ts does. */
export const usedExamples: readonly { readonly name: string; readonly text: string }[] = readdirSync(
  used,
).map((file) => ({ name: file, text: readFileSync(new URL(file, used), 'utf8') }))

/** What dagctl.yaml says where they are used. */
export const exampleOptions: Options = { env: ['REGION'], pools: { gpu: { slots: 4, gpus: 1 } } }
