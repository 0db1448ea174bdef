/** The `S3Sensor` operator: waits until objects are there, whole. Sleeps between two looks and holds no slot meanwhile. */
import { defineOperator, failed, succeeded } from '../../plugins/api.ts'
import { listObjects, type S3Settings } from './s3-client.ts'
import { placeOf } from './s3-glob.ts'
import { everySchema, lookAgain } from './sensor.ts'
import { filesOf, filesOutput, type Whole, wholeSchema, whyWait } from './sensor-files.ts'

/** What is waited for, where, and how an object shows that it is whole. */
interface S3SensorInput extends S3Settings, Whole {
  readonly uri: string
  readonly every: string
}

/** Succeeds when at least `count` objects match and every one that matches is old and large enough. */
export const s3Sensor = defineOperator<S3SensorInput>({
  name: 'S3Sensor',
  stage: 'data',
  summary: 'Waits for objects to appear in S3; sleeps between two looks, without holding a slot.',
  input: {
    type: 'object',
    properties: {
      uri: {
        type: 'string',
        pattern: '^s3://',
        'x-says': 'a URI such as `s3://BUCKET/KEY`',
        'x-uri': 'input',
        description:
          '`s3://bucket/key`: the object of that key, else all below `key/`; or a glob, `s3://bucket/day/*.jsonl`. For a `_SUCCESS` marker name the marker itself.',
      },
      endpoint: {
        type: 'string',
        minLength: 1,
        'x-endpoint': true,
        description:
          'The URL of a server other than AWS, which is called by paths. Default: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, else AWS.',
      },
      region: {
        type: 'string',
        minLength: 1,
        description: 'Default: AWS_REGION, the profile’s; with an endpoint us-east-1.',
      },
      profile: {
        type: 'string',
        minLength: 1,
        description:
          'A profile of the shared configuration and credentials files. Default: AWS_PROFILE, else the keys of the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN), else what AWS’s own tools would find.',
      },
      every: everySchema,
      ...wholeSchema('Objects'),
    },
    required: ['uri'],
    additionalProperties: false,
  },
  output: filesOutput,
  runtimes: ['inline', 'process'],
  sensor: true,
  example:
    'landed: { uses: S3Sensor, with: { uri: "s3://corp-docs/{{ date run.interval.start \'yyyy-MM-dd\' }}/_SUCCESS", every: 30s }, timeout: 6h }',
  async run(input, task) {
    const place = placeOf(input.uri)
    if (place === null) {
      const rule = 'write s3://bucket/key; a bucket has 3 to 63 lower-case letters, digits, `.` and `-`'
      return failed('invalid_input', `\`${input.uri}\` is no S3 URI: ${rule}`)
    }
    const objects = await listObjects(place, input, task)
    const waits = whyWait(objects, input, task.clock.now())
    if (waits) return lookAgain(task, { what: input.uri, every: input.every, ...waits })
    return succeeded(filesOf(objects))
  },
})
