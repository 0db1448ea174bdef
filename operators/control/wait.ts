/** The `Wait` operator: sleeps for a while or until an instant. Holds no slot while it sleeps. */
import { defineOperator, durationSchema, failed, parseDuration, sleep, succeeded } from '../../plugins/api.ts'

/** Exactly one of the two. */
type WaitInput =
  | { readonly for: string; readonly until?: undefined }
  | { readonly until: string; readonly for?: undefined }

/**
 * Sleeps, then succeeds. The end is fixed at the first start: a restart of the engine does not prolong it. Who waits for a
 * while is not asked again when it is woken: the clock may have been set back meanwhile, the time has passed all the same.
 */
export const wait = defineOperator<WaitInput>({
  name: 'Wait',
  stage: 'control',
  summary: 'Waits for a duration or until an instant, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      for: { ...durationSchema, description: 'How long: 30s, 15m, 6h, 7d, or ISO 8601 (PT15M).' },
      until: {
        type: 'string',
        format: 'date-time',
        description:
          'Until when: RFC 3339 with its offset, 2026-01-31T06:00:00Z. An instant in the past ends at once.',
      },
    },
    oneOf: [{ required: ['for'] }, { required: ['until'] }],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      until: { type: 'string', format: 'date-time', description: 'When the wait was over, RFC 3339 UTC.' },
    },
    required: ['until'],
    additionalProperties: false,
  },
  runtimes: ['inline', 'process'],
  example: 'settle: { uses: Wait, with: { for: 15m }, needs: [deploy] }',
  run(input, task) {
    const until = typeof task.state === 'number' ? task.state : endOf(input, task.clock.now())
    if (Number.isNaN(until))
      return failed('invalid_input', `\`until\`: ${input.until} is not an RFC 3339 instant`)
    const passed = input.for !== undefined && typeof task.state === 'number'
    if (until > task.clock.now() && !passed) return sleep(until, until)
    return succeeded({ until: new Date(until).toISOString() })
  },
})

/** Epoch milliseconds at which the wait is over; NaN where `until` is no instant. */
function endOf(input: WaitInput, now: number): number {
  return input.for === undefined ? Date.parse(input.until) : now + parseDuration(input.for)
}
