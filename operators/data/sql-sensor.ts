/** The `SqlSensor` operator: waits until a query says so. Sleeps between two looks and holds no slot meanwhile. */
import { defineOperator, durationSchema, type Json, parseDuration, succeeded } from '../../plugins/api.ts'
import { everySchema, lookAgain } from './sensor.ts'
import { firstRow } from './sql-client.ts'

/** Which database, and what is asked of it. */
interface SqlSensorInput {
  readonly url: string
  readonly query: string
  readonly timeout: string
  readonly every: string
}

/** Succeeds when the query's first row begins with something that is true. */
export const sqlSensor = defineOperator<SqlSensorInput>({
  name: 'SqlSensor',
  stage: 'data',
  summary:
    'Waits until a query gives a row whose first column is true; sleeps between two looks, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      url: {
        type: 'string',
        pattern: '^(sqlite:.|postgres(ql)?://)',
        'x-says': '`sqlite:PATH` or `postgres://HOST/NAME`',
        'x-endpoint': true,
        description:
          '`sqlite:PATH` or `postgres://user@host/name`. Leave the password of PostgreSQL to the environment (PGPASSWORD, or the file of PGPASSFILE).',
      },
      query: {
        type: 'string',
        minLength: 1,
        description:
          'One statement that only reads. The wait is over when it has a row whose first column is not null, false, 0, or an empty text.',
      },
      timeout: { ...durationSchema, default: '30s', description: 'For the query.' },
      every: everySchema,
    },
    required: ['url', 'query'],
    additionalProperties: false,
  },
  output: {
    type: 'object',
    properties: {
      row: {
        type: 'object',
        additionalProperties: true,
        description:
          'The row, by name of the column; times as RFC 3339, binary data as base64, numbers beyond 2^53 as text.',
      },
    },
    required: ['row'],
    additionalProperties: false,
  },
  // Not inline: SQLite's driver can be stopped only with its process.
  runtimes: ['process'],
  sensor: true,
  example:
    'landed: { uses: SqlSensor, with: { url: "postgres://reader@warehouse/lake", query: "SELECT count(*) FROM loads WHERE day = \'{{ date run.interval.start \'yyyy-MM-dd\' }}\'", every: 1m }, timeout: 6h }',
  async run({ url, query, timeout, every }, task) {
    const found = await firstRow({ url, query, timeout: parseDuration(timeout) }, task)
    if (found !== null && isTrue(found.first)) return succeeded({ row: found.row })
    const why = found === null ? 'the query has no row' : `the first column is ${JSON.stringify(found.first)}`
    return lookAgain(task, { what: 'the query', why, every })
  },
})

/** As databases mean it: PostgreSQL tells counts beyond 32 bits as text. */
function isTrue(value: Json): boolean {
  return Boolean(value) && value !== '0'
}
