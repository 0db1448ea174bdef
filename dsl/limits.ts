/** `deadline` and `budget` of a file: what ends a run before its tasks do. Pure. */
import { parseDuration } from '../engine/duration.ts'
import type { Pipeline } from '../engine/pipeline.ts'
import type { PipelineFile } from '../schemas/pipeline.generated.ts'
import type { Report } from './report.ts'

type File = Partial<Pick<PipelineFile, 'deadline' | 'budget'>>

/** The limits for the engine; what the file does not say is absent. A deadline alerts, a budget holds, where nothing is said. */
export function limitsOf({ deadline, budget }: File, report: Report): Pick<Pipeline, 'deadline' | 'budget'> {
  if (budget && budget.usd === undefined && budget.gpuHours === undefined)
    report.atKey(['budget'], {
      code: 'E112',
      message: '`budget` needs `usd` or `gpuHours`',
      hint: 'say what a run may cost',
    })
  return {
    ...(deadline && {
      deadline: { after: parseDuration(deadline.after) ?? 0, do: deadline.do ?? 'alert' },
    }),
    ...(budget && {
      budget: {
        usd: budget.usd ?? null,
        gpuHours: budget.gpuHours ?? null,
        onExceed: budget.onExceed ?? 'hold',
      },
    }),
  }
}
