import fc from 'fast-check'
import t from 'tap'
import { type TriggerRule, triggerRules } from '../../engine/pipeline.ts'
import { triggerVerdict } from '../../engine/trigger-rule.ts'
import { catalogueWith, operator } from '../support/catalogue.ts'
import { compileYaml } from '../support/compiled.ts'
import { compileFiles, type Files } from '../support/files.ts'

const catalogue = catalogueWith(
  operator({ name: 'Ingest', stage: 'data', timeout: 1 }),
  operator({ name: 'PIIMasker', stage: 'data', timeout: 1 }),
  operator({ name: 'LandSensor', stage: 'data', sensor: true, timeout: 1 }),
  operator({ name: 'Fit', stage: 'training', timeout: 1 }),
  operator({ name: 'Judge', stage: 'evaluation', timeout: 1 }),
  operator({ name: 'Ship', stage: 'deployment', effects: 'deploy', timeout: 1 }),
)

/** Each warning on the graph as `CODE task: hint`. */
async function lintOf(yaml: string): Promise<readonly string[]> {
  const { problems } = await compileYaml(yaml, catalogue)
  return problems.map(
    ({ code, message, hint }) => `${code} ${message.match(/`([^`]+)` (?:\(|dep)/)?.[1]}: ${hint}`,
  )
}

async function lintOfFiles(files: Files): Promise<readonly string[]> {
  const { problems } = await compileFiles(files, { catalogue })
  return problems.map(({ file, line, code, message }) => `${file}:${line} ${code} ${message}`)
}

t.test('data goes along what is referred to and along needs, not along decisions and sensors', async (t) => {
  const fit = (rest: string) =>
    lintOf(
      `  raw: { uses: Ingest }\n  land: { uses: LandSensor, needs: [raw] }\n  mask: { uses: PIIMasker, needs: [raw] }\n  fit: { uses: Fit, ${rest} }`,
    )
  const dirty = ['W101 fit: put a `PIIMasker` behind `raw`, which all of it passes']
  t.strictSame(await fit('with: { x: "{{ tasks.raw.outputs.x }}" }'), dirty)
  t.strictSame(await fit('with: { x: "{{ tasks.mask.outputs.x }}" }'), [])
  t.strictSame(await fit('with: { x: "{{ tasks.mask.outputs.x }}" }, needs: [raw]'), dirty)
  t.strictSame(await fit('with: { x: "{{ tasks.mask.outputs.x }}", y: "{{ tasks.raw.state }}" }'), [])
  t.strictSame(await fit('needs: [mask], when: tasks.raw.outputs.rows > 3'), [])
  t.strictSame(await fit('needs: [raw], when: tasks.raw.outputs.rows > 3'), dirty)
  t.strictSame(await fit('needs: [mask], gate: [tasks.raw.outputs.rows > 3]'), [])
  t.strictSame(await fit('env: { X: "{{ tasks.raw.outputs.x }}" }'), dirty)
  t.strictSame(await fit('needs: [mask, land]'), [])
  t.strictSame(await fit('needs: [mask], with: { x: "{{ tasks.land.outputs.x }}" }'), dirty)
})

t.test('the hint names the first task that all unmasked data passes, if there is one', async (t) => {
  t.strictSame(
    await lintOf(
      '  a: { uses: Ingest }\n  b: { uses: Ingest }\n  both: { uses: Noop, needs: [a, b] }\n  fit: { uses: Fit, needs: [both] }\n  judge: { uses: Judge, needs: [fit] }',
    ),
    [
      'W101 fit: put a `PIIMasker` behind `both`, which all of it passes',
      'W101 judge: put a `PIIMasker` behind `both`, which all of it passes',
    ],
  )
  t.strictSame(
    await lintOf('  a: { uses: Ingest }\n  b: { uses: Ingest }\n  fit: { uses: Fit, needs: [a, b] }'),
    ['W101 fit: put a `PIIMasker` between them, on every path'],
  )
})

t.test('a gate guards what always follows its success, by the trigger of each task on the way', async (t) => {
  const ship = (rest: string) =>
    lintOf(
      `  judge: { uses: Judge, gate: [outputs.x > 1.0] }\n  other: { uses: Noop }\n  ship: { uses: Ship, ${rest} }`,
    )
  const unguarded = ['W102 ship: let it need an evaluation with a `gate:`']
  t.strictSame(await ship('needs: [judge, other]'), [], 'both must succeed')
  t.strictSame(await ship('needs: [judge, other], trigger: one_success'), unguarded)
  t.strictSame(await ship('needs: [judge], trigger: one_success'), [])
  for (const trigger of triggerRules.filter((rule) => !rule.includes('success')))
    t.strictSame(await ship(`needs: [judge], trigger: ${trigger}`), unguarded, trigger)
  t.strictSame(
    await lintOf(
      '  j1: { uses: Judge, gate: [outputs.x > 1.0] }\n  j2: { uses: Judge, gate: [outputs.x > 1.0] }\n  ship: { uses: Ship, needs: [j1, j2], trigger: one_success }',
    ),
    [],
    'another gate on each way',
  )
})

t.test('a `when` on the outputs of an evaluation decides; one on its state does not', async (t) => {
  const ship = (when: string) =>
    lintOf(`  judge: { uses: Judge }\n  ship: { uses: Ship, trigger: all_done, when: '${when}' }`)
  t.strictSame(await ship('has(tasks.judge.outputs.ok) && tasks.judge.outputs.ok'), [])
  t.strictSame(await ship('tasks.judge.state == "failed"'), [
    'W102 ship: let it need an evaluation with a `gate:`',
  ])
})

t.test('the hint names an evaluation that a deployment always follows', async (t) => {
  t.strictSame(
    await lintOf(
      '  judge: { uses: Judge }\n  a: { uses: Noop, needs: [judge] }\n  b: { uses: Noop, needs: [judge] }\n  ship: { uses: Ship, needs: [a, b], trigger: one_success }',
    ),
    ['W102 ship: give `judge`, which it always follows, a `gate:`'],
  )
})

t.test('a command that says it deploys is a deployment', async (t) => {
  t.strictSame(
    await lintOf(
      '  raw: { uses: Ingest }\n  ship: { run: ./ship.sh, effects: deploy, timeout: 1m, needs: [raw] }',
    ),
    [
      'W101 ship: put a `PIIMasker` behind `raw`, which all of it passes',
      'W102 ship: let it need an evaluation with a `gate:`',
    ],
  )
})

const inGroup = (inside: string, outside: string, head = '') => ({
  'main.yaml': `tasks:\n${outside}`,
  'group.yaml': `${head}tasks:\n${inside}`,
})

t.test('data goes through a group by the inputs and outputs that carry it', async (t) => {
  const inside =
    '  raw: { uses: Noop, with: {} }\n  clean: { uses: PIIMasker, with: { x: "{{ inputs.docs }}" } }'
  const head =
    'inputs: { docs: {}, conf: {} }\noutputs: { good: "{{ tasks.clean.outputs.x }}", bad: "{{ inputs.docs }}", conf: "{{ inputs.conf }}" }\n'
  const fit = (output: string) =>
    lintOfFiles(
      inGroup(
        inside.replace(', with: {}', ''),
        `  in: { uses: Ingest }\n  g: { use: ./group.yaml, with: { docs: "{{ tasks.in.outputs.x }}", conf: 1 } }\n  fit: { uses: Fit, ${output} }`,
        head,
      ),
    )
  t.strictSame(await fit('with: { x: "{{ tasks.g.outputs.good }}" }'), [])
  t.strictSame(await fit('with: { x: "{{ tasks.g.outputs.conf }}" }'), [])
  t.strictSame(await fit('with: { x: "{{ tasks.g.outputs.bad }}" }'), [
    'main.yaml:6 W101 data of `in` reaches `fit` (training) without `PIIMasker` on the way',
  ])
  t.strictSame(await fit('with: { x: "{{ tasks.g.outputs }}" }'), [
    'main.yaml:6 W101 data of `in` reaches `fit` (training) without `PIIMasker` on the way',
  ])
  t.strictSame(await fit('needs: [g]'), [])
})

t.test('data goes into a mapped group by its items, and out of it in a list', async (t) => {
  const files = (given: string, output: string) =>
    inGroup(
      '  a: { uses: Noop, with: { outputs: { x: "{{ inputs.docs }}" } } }',
      `  raw: { uses: Ingest }\n  g: { use: ./group.yaml, foreach: "${given}", with: { docs: "{{ item }}" } }\n  fit: { uses: Fit, with: { x: "{{ ${output} }}" } }`,
      'inputs: { docs: {} }\noutputs: { x: "{{ tasks.a.outputs.x }}" }\n',
    )
  const dirty = ['main.yaml:6 W101 data of `raw` reaches `fit` (training) without `PIIMasker` on the way']
  t.strictSame(await lintOfFiles(files('{{ tasks.raw.outputs.shards }}', 'tasks.g.outputs')), dirty)
  t.strictSame(
    await lintOfFiles(files('{{ tasks.raw.outputs.shards }}', "default tasks.g.byKey.de.x 'none'")),
    dirty,
  )
})

t.test('what is in a group is warned of at its own place, once', async (t) => {
  t.strictSame(
    await lintOfFiles(
      inGroup(
        '  fit: { uses: Fit }\n  ship: { uses: Ship, needs: [fit] }',
        '  in: { uses: Ingest }\n  g: { use: ./group.yaml, needs: [in] }\n  h: { use: ./group.yaml, needs: [g] }',
      ),
    ),
    [
      'group.yaml:4 W101 data of `in` reaches `g.fit` (training) without `PIIMasker` on the way',
      'group.yaml:5 W101 data of `in` reaches `g.ship` (deployment) without `PIIMasker` on the way',
      'group.yaml:5 W102 `g.ship` deploys without an evaluation gate above it',
    ],
  )
})

t.test('gates guard through groups, in both directions', async (t) => {
  const judge = 'judge: { uses: Judge, gate: [outputs.x > 1.0] }'
  const ship = '  ship: { uses: Ship, needs: [g] }'
  const group = '  g: { use: ./group.yaml }\n'
  t.strictSame(await lintOfFiles(inGroup(`  a: { uses: Noop }\n  ${judge}`, group + ship)), [])
  t.strictSame(
    await lintOfFiles(
      inGroup(
        `  a: { uses: Noop }\n  ${judge.replace('{', '{ when: tasks.a.state == "succeeded",')}`,
        group + ship,
      ),
    ),
    ['main.yaml:5 W102 `ship` deploys without an evaluation gate above it'],
    'the gate may be skipped, and the group succeed',
  )
  t.strictSame(
    await lintOfFiles(
      inGroup('  ship: { uses: Ship }', `  ${judge}\n  g: { use: ./group.yaml, needs: [judge] }`),
    ),
    [],
  )
  t.match(
    await lintOfFiles(
      inGroup(
        '  ship: { uses: Ship }',
        `  ${judge}\n  g: { use: ./group.yaml, needs: [judge], trigger: all_done }`,
      ),
    ),
    [/^group.yaml:4 W102 `g.ship`/],
  )
  t.strictSame(
    await lintOfFiles(
      inGroup(
        '  ship: { uses: Ship, when: inputs.verdict == "pass" }',
        '  judge: { uses: Judge }\n  g: { use: ./group.yaml, with: { verdict: "{{ tasks.judge.outputs.v }}" } }',
        'inputs: { verdict: {} }\n',
      ),
    ),
    [],
  )
  t.strictSame(
    await lintOfFiles(
      inGroup(
        '  judge: { uses: Judge }',
        `${group}  ship: { uses: Ship, when: tasks.g.outputs.v == "pass" }`,
        'outputs: { v: "{{ tasks.judge.outputs.v }}" }\n',
      ),
    ),
    [],
  )
})

t.test('a file for others alone is not warned of what its users decide', async (t) => {
  const { problems } = await compileFiles(
    { 'g.yaml': 'inputs: { x: {} }\ntasks:\n  ship: { uses: Ship }\n  sh: { run: ls }' },
    { catalogue },
  )
  t.strictSame(
    problems.map(({ code }) => code),
    ['W104'],
  )
})

interface Sketch {
  readonly kind: number
  readonly needs: readonly number[]
  readonly trigger: TriggerRule
}

const graphs = (rules: readonly TriggerRule[]): fc.Arbitrary<readonly Sketch[]> =>
  fc
    .array(
      fc.record({
        kind: fc.nat(3),
        needs: fc.array(fc.nat(), { maxLength: 3 }),
        trigger: fc.constantFrom(...rules),
      }),
      {
        minLength: 2,
        maxLength: 6,
      },
    )
    .map((list) =>
      list.map((sketch, place) => ({
        ...sketch,
        needs: place === 0 ? [] : [...new Set(sketch.needs.map((need) => need % place))],
      })),
    )

const yamlOf = (graph: readonly Sketch[], uses: readonly string[]) =>
  graph
    .map(({ kind, needs, trigger }, place) => {
      const list = needs.map((need) => `t${need}`).join(', ')
      return `  t${place}: { ${uses[kind]}, needs: [${list}], trigger: ${trigger} }`
    })
    .join('\n')

const warned = async (yaml: string, code: string) => {
  const { problems } = await compileYaml(yaml, catalogue)
  return problems.filter((problem) => problem.code === code).map(({ line }) => line - 4)
}

const gateKinds = ['uses: Noop', 'uses: Judge', 'uses: Judge, gate: [outputs.x > 1.0]', 'uses: Ship']

/** The deployments that start in some run of the graph in which no gate passes: every way that tasks may end is tried. */
function startUnguarded(graph: readonly Sketch[]): readonly number[] {
  const found = new Set<number>()
  for (let endings = 0; endings < 1 << graph.length; endings += 1) {
    const states: string[] = []
    const started: number[] = []
    graph.forEach(({ needs, trigger }, place) => {
      const count = (state: string) => needs.filter((need) => states[need] === state).length
      const counts = {
        total: needs.length,
        succeeded: count('succeeded'),
        failed: count('failed'),
        skipped: count('skipped'),
      }
      const verdict = triggerVerdict(trigger, counts)
      if (verdict === 'unblock') started.push(place)
      states.push(
        verdict === 'skip'
          ? 'skipped'
          : verdict === 'unblock' && endings & (1 << place)
            ? 'succeeded'
            : 'failed',
      )
    })
    if (graph.some(({ kind }, place) => kind === 2 && states[place] === 'succeeded')) continue
    for (const place of started) if (graph[place]?.kind === 3) found.add(place)
  }
  return [...found].sort()
}

t.test('every deployment that can start without a gate is warned of', async (t) => {
  await fc.assert(
    fc.asyncProperty(graphs(triggerRules), async (graph) => {
      const told = await warned(yamlOf(graph, gateKinds), 'W102')
      return startUnguarded(graph).every((place) => told.includes(place))
    }),
    { numRuns: 200 },
  )
  t.pass()
})

t.test('and, where tasks wait for success, no other', async (t) => {
  await fc.assert(
    fc.asyncProperty(graphs(['all_success', 'one_success']), async (graph) => {
      const told = await warned(yamlOf(graph, gateKinds), 'W102')
      t.strictSame(told, startUnguarded(graph))
    }),
    { numRuns: 200 },
  )
})

t.test('unmasked data is warned of if and only if a path without a masker brings it', async (t) => {
  const kinds = ['uses: Noop', 'uses: Ingest', 'uses: PIIMasker', 'uses: Fit']
  await fc.assert(
    fc.asyncProperty(graphs(['all_success']), async (graph) => {
      const isData = (place: number) => graph[place]?.kind === 1 || graph[place]?.kind === 2
      const belowData = (place: number): boolean =>
        (graph[place] as Sketch).needs.some((need) => isData(need) || belowData(need))
      const dirty = (place: number): boolean => {
        const { kind, needs } = graph[place] as Sketch
        return kind !== 2 && ((kind === 1 && !belowData(place)) || needs.some(dirty))
      }
      const expected = graph.flatMap(({ kind }, place) => (kind === 3 && dirty(place) ? [place] : []))
      t.strictSame(await warned(yamlOf(graph, kinds), 'W101'), expected)
    }),
    { numRuns: 200 },
  )
})

t.test('a chain of 20,000 tasks with short cuts is warned of as a short one is', async (t) => {
  const size = 20_000
  const lines = ['  t0: { uses: Ingest }']
  for (let n = 1; n < size; n += 1)
    lines.push(
      `  t${n}: { uses: ${n === size - 1 ? 'Ship' : 'Noop'}, needs: [t${n - 1}${n > 1 ? ', t0' : ''}], trigger: one_success }`,
    )
  const { problems } = await compileYaml(lines.join('\n'), catalogue)
  t.strictSame(
    problems.map(({ code }) => code),
    ['W101', 'W102'],
  )
})
