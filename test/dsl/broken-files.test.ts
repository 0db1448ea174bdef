import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { compile } from '../../dsl/compile.ts'
import { format } from '../../dsl/problems.ts'
import { brokenFiles, brokenFolder, expectedText } from '../support/broken-files.ts'
import { builtinCatalogue } from '../support/catalogue.ts'

// `DAGCTL_GOLDEN=write` writes the expected texts anew; read the difference before it is committed.
const write = process.env.DAGCTL_GOLDEN === 'write'

for (const { name, bytes } of brokenFiles()) {
  if (bytes === null) continue
  t.test(`${name}: every problem is said, with its place, and there is no pipeline`, async (t) => {
    const { pipeline, problems } = await compile({ text: bytes, file: `${name}.yaml` }, builtinCatalogue)
    const source = new TextDecoder().decode(bytes)
    const text = `${problems.map((problem) => format(problem, source)).join('\n')}\n`
    if (write) writeFileSync(join(brokenFolder, `${name}.txt`), text)
    t.equal(pipeline, null)
    t.ok(problems.some(({ severity }) => severity === 'error'))
    t.equal(text, expectedText(name))
  })
}
