/** The `DatasetSensor` operator: waits until datasets were updated. Wakes by the update, and holds no slot meanwhile. */
import { defineOperator, failed, succeeded } from '../../plugins/api.ts'
import { everySchema, lookAgain } from './sensor.ts'

/** Which datasets, and since when. */
interface DatasetSensorInput {
  readonly datasets: readonly string[]
  readonly mode: 'all' | 'any'
  readonly since?: string
  readonly every: string
}

/** Succeeds when all (or any) of the datasets were updated at or after `since`. */
export const datasetSensor = defineOperator<DatasetSensorInput>({
  name: 'DatasetSensor',
  stage: 'data',
  summary: 'Waits until datasets were updated, by `produces` of a task or by a person; wakes by the update.',
  input: {
    type: 'object',
    properties: {
      datasets: {
        type: 'array',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
        maxItems: 1000,
        uniqueItems: true,
        description: 'URIs, as `produces` of the tasks that update them names them.',
      },
      mode: { type: 'string', enum: ['all', 'any'], default: 'all' },
      since: {
        type: 'string',
        format: 'date-time',
        description: 'Updates before this moment do not count. Default: the start of the run’s interval.',
      },
      every: {
        ...everySchema,
        default: '5m',
        description: 'How long to sleep between two looks, at most; an update wakes it at once.',
      },
    },
    required: ['datasets'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      updates: {
        type: 'array',
        description: 'The newest update of each dataset that was updated.',
        items: {
          type: 'object',
          properties: {
            uri: { type: 'string' },
            at: { type: 'string', format: 'date-time' },
            run: {
              type: ['string', 'null'],
              description: 'The run that updated it; null where a person did.',
            },
            task: { type: ['string', 'null'] },
          },
          required: ['uri', 'at', 'run', 'task'],
          additionalProperties: false,
        },
      },
    },
    required: ['updates'],
    additionalProperties: false,
  },
  runtimes: ['inline'],
  sensor: true,
  example:
    'fresh: { uses: DatasetSensor, with: { datasets: ["s3://lake/docs", "s3://lake/users"] }, timeout: 12h }',
  async run({ datasets, mode, since, every }, task) {
    if (task.engine === null)
      return failed(
        'invalid_input',
        'DatasetSensor asks the engine: it runs inline only, set `runtime: inline`',
      )
    const from = Date.parse(since ?? task.interval.start)
    const news = await task.engine.datasets.updates(datasets, from)
    if (mode === 'any' ? news.length > 0 : news.length === datasets.length)
      return succeeded({
        updates: news.map(({ uri, at, run, task }) => ({ uri, at: new Date(at).toISOString(), run, task })),
      })
    const updated = new Set(news.map(({ uri }) => uri))
    const missing = datasets.filter((uri) => !updated.has(uri))
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : ''
    return lookAgain(task, {
      what: mode === 'any' ? 'one of the datasets' : 'the datasets',
      why: `${missing[0]}${more} not updated since ${new Date(from).toISOString()}`,
      every,
      on: { datasets: missing },
    })
  },
})
