/** B6: the workload by which workflow engines are compared in public, in the engine's process and in warm workers. */
import type { Pipeline, RuntimeName } from '../engine/pipeline.ts'
import { noop, pipelineOf } from './engine.ts'
import { standing } from './operators-run.ts'
import type { Row, Workload } from './workload.ts'

function fibos(count: number, n: number, chained: boolean, runtime: RuntimeName): Pipeline {
  return pipelineOf(
    `fibo-${count}-${n}-${runtime}`,
    Array.from({ length: count }, (_, at) => ({
      ...noop,
      id: `t${at}`,
      uses: 'Fibo',
      with: { n },
      runtime,
      needs: chained && at > 0 ? [at - 1] : [],
    })),
  )
}

/** Measures milliseconds per task. */
export async function fibo(): Promise<Workload> {
  const engine = await standing()
  const row = (count: number, n: number, chained: boolean, runtime: RuntimeName): Row => {
    const pipeline = fibos(count, n, chained, runtime)
    return {
      workload: `${count} x fibo(${n}) ${chained ? 'in a chain' : 'side by side'}, ${runtime}`,
      unit: 'ms per task',
      goal: chained && runtime === 'process' ? '<= 3 ms per task' : null,
      rounds: 7,
      ours: { name: 'dagctl', run: async () => (await engine.run(pipeline)).ms / count },
      others: [],
    }
  }
  await engine.run(fibos(10, 10, false, 'process'))
  return {
    rows: [
      row(40, 10, true, 'inline'),
      row(40, 10, true, 'process'),
      row(10, 33, false, 'inline'),
      row(10, 33, false, 'process'),
    ],
    notes: [
      'SQLite in WAL mode, synchronous=FULL; from the making of the run to its end, in an engine with warm workers',
      'the best published figure of another engine for 40 x fibo(10) is 31 ms per task (BENCHMARKS, not measured here)',
      'containers: with the docker runtime',
    ],
    dispose: () => void engine.close(),
  }
}
