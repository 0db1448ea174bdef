/** Writes every generated file; with `--check` it writes nothing and fails where one is not what it is made from. */
import { readFileSync, writeFileSync } from 'node:fs'
import { builtin } from '../operators/catalogue.ts'
import { describe } from '../plugins/api.ts'
import {
  configCheck,
  configTypes,
  editorSchema,
  pipelineCheck,
  pipelineTypes,
  testsTypes,
} from '../schemas/generate.ts'
import { operatorsPage, statesPage } from './code-pages.ts'
import { configPage } from './config-page.ts'
import { errorsPage } from './errors-page.ts'
import { pipelinePage } from './pipeline-page.ts'
import { testsPage } from './tests-page.ts'

const operators = await Promise.all(Object.values(builtin).map(async (load) => describe(await load())))
const files = {
  'schemas/config.generated.ts': await configTypes(),
  'schemas/config.check.generated.js': configCheck(),
  'schemas/pipeline.generated.ts': await pipelineTypes(),
  'schemas/pipeline-tests.generated.ts': await testsTypes(),
  'schemas/pipeline.check.generated.js': pipelineCheck(),
  'schemas/pipeline.editor.schema.json': editorSchema(operators),
  'docs/configuration.md': configPage(),
  'docs/errors.md': errorsPage(),
  'docs/operators.md': operatorsPage(operators),
  'docs/pipeline.md': pipelinePage(),
  'docs/pipeline-tests.md': testsPage(),
  'docs/states.md': statesPage(),
}

for (const [path, text] of Object.entries(files)) {
  const url = new URL(`../${path}`, import.meta.url)
  if (process.argv[2] !== '--check') writeFileSync(url, text)
  else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is not what it is generated from; run \`npm run generate\``)
    process.exitCode = 1
  }
}
