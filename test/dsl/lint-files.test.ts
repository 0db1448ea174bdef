import t from 'tap'
import type { Source } from '../../dsl/source.ts'
import { compileYaml } from '../support/compiled.ts'

const start = (pipeline: string) => `{ uses: TriggerPipeline, with: { pipeline: "${pipeline}" } }`

t.test('a pipeline to start whose file is not there is warned of, seen from the own folder', async (t) => {
  const files = new Map([
    ['group.yaml', `dagctl: 1\npipeline: group\ntasks:\n  deep: ${start('./gone.yaml')}\n`],
    ['./child.yaml', 'broken: ['],
  ])
  const load = async (path: string, from: Source) => {
    const text = files.get(path)
    return text === undefined ? { why: `no such file beside ${from.file}` } : { text, file: path }
  }
  const yaml = `
  a: ${start('./child.yaml')}
  b: ${start('nope.yaml')}
  c: ${start('known-by-name')}
  d: ${start('{{ tasks.a.outputs.run }}.yaml')}
  g: { use: group.yaml }
`
  const { problems } = await compileYaml(yaml, undefined, { load })
  t.strictSame(
    problems.map(
      ({ file, line, column, severity, code, message }) =>
        `${file}:${line}:${column} ${severity} ${code} ${message}`,
    ),
    [
      'test.yaml:6:49 warning W109 the pipeline `nope.yaml` is not there: no such file beside test.yaml',
      'group.yaml:4:52 warning W109 the pipeline `./gone.yaml` is not there: no such file beside test.yaml',
    ],
  )
  t.strictSame((await compileYaml(`  b: ${start('nope.yaml')}\n`)).problems, [], 'nobody can look')
})
