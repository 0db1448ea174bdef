/** Which room may import which (docs/architecture.md), each rule with its reason. Run by `npm run check`. */

const ours = '^(bench|cli|dsl|engine|operators|plugins|schemas|server|services|simulation|test)/'

/** A room imports only these rooms, besides itself, Node and packages. */
function room(name, allowed, comment) {
  const from = { path: `^${name}/` }
  const to = { path: ours, pathNot: [name, ...allowed].map((path) => `^${path}/`) }
  return { name: `${name}-imports`, severity: 'error', comment, from, to }
}

/** Only one file loads this package, so that its choice can be changed in one place and its cost is paid where it is used. */
function oneFile(packages, path, comment) {
  return {
    name: `one-file-for-${packages[0]}`,
    severity: 'error',
    comment,
    from: { path: ours, pathNot: [path, '^(bench|test)/'] },
    to: { path: `node_modules/(${packages.join('|')})/` },
  }
}

export default {
  options: {
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'node', 'default'] },
  },
  forbidden: [
    room(
      'engine',
      ['schemas'],
      'The engine runs plain data: it knows nothing of YAML, operators or the command line.',
    ),
    {
      name: 'schemas-imports',
      severity: 'error',
      comment:
        'Schemas are the truth that others are generated from; only the generator asks operators for theirs.',
      from: { path: '^schemas/', pathNot: '^schemas/generate\\.js$' },
      to: { path: ours, pathNot: '^schemas/' },
    },
    {
      name: 'dsl-imports',
      severity: 'error',
      comment: 'Compiling a file is pure: no store, queue, process or network, only the engine’s vocabulary.',
      from: { path: '^dsl/' },
      to: {
        path: ours,
        pathNot: [
          '^dsl/',
          '^schemas/',
          '^engine/(pipeline|errors|json|pointer|state|outcome|evaluator|graph|expansion|timetable|interval|cron|zone|time-text|duration|size|resources|retention)\\.js$',
        ],
      },
    },
    {
      name: 'plugins-imports',
      severity: 'error',
      comment:
        'The operator SDK and its host know the engine’s types and the runtime that serves attempts, no operator.',
      from: { path: '^plugins/' },
      to: { path: ours, pathNot: ['^plugins/', '^engine/'] },
    },
    {
      name: 'operators-imports',
      severity: 'error',
      comment: 'A built-in operator can do no more than a user’s plugin: plugins/api.ts and its own stage.',
      from: { path: '^operators/([^/]+)/' },
      to: { path: ours, pathNot: ['^operators/$1/', '^plugins/api\\.js$'] },
    },
    {
      name: 'catalogue-imports',
      severity: 'error',
      comment: 'The catalogue lists operators; it is data to everybody else.',
      from: { path: '^operators/[^/]+$' },
      to: { path: ours, pathNot: ['^operators/', '^plugins/api\\.js$'] },
    },
    room(
      'services',
      ['engine'],
      'What lives beside the runs looks at the engine, never at the command line or the page.',
    ),
    room(
      'simulation',
      ['engine', 'schemas'],
      'A simulated world plays the real engine: it knows neither YAML nor operators, whose stand-ins come in from outside.',
    ),
    room('server', ['engine', 'dsl', 'schemas', 'services'], 'The API is another front to the same engine.'),
    {
      name: 'not-to-the-outside',
      severity: 'error',
      comment: 'Nothing that ships may lean on tests, benchmarks or the command line.',
      from: { path: '^(dsl|engine|operators|plugins|schemas|server|services|simulation)/' },
      to: { path: '^(bench|cli|scripts|test)/' },
    },
    {
      name: 'not-to-dev-dependencies',
      severity: 'error',
      comment: 'A user’s installation has only `dependencies`.',
      from: {
        path: '^(cli|dsl|engine|operators|plugins|schemas|server|services|simulation)/',
        pathNot: '^schemas/generate\\.js$',
      },
      to: { dependencyTypes: ['npm-dev'], pathNot: '@types/' },
    },
    {
      name: 'no-cycles',
      severity: 'error',
      comment:
        'A cycle means that two rooms are one; types count too. What is loaded late, when asked for, is no cycle.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['dynamic-import'] } },
    },
    {
      name: 'resolvable',
      severity: 'error',
      comment: 'A path that leads nowhere fails only when it is loaded, which may be late.',
      from: {},
      to: { couldNotResolve: true },
    },
    oneFile(
      ['better-sqlite3'],
      '^engine/store/sqlite-connection\\.js$',
      'Only the store knows SQLite; SqlSensor loads it by name, in a thread of its own.',
    ),
    oneFile(['pg'], '^operators/data/sql-client\\.js$', 'Loaded when a database of a sensor is asked.'),
    oneFile(
      ['@aws-sdk', '@smithy'],
      '^operators/data/s3-client\\.js$',
      'Megabytes, loaded when S3 is asked.',
    ),
    oneFile(
      ['yaml'],
      '^dsl/(parse|positions)\\.js$',
      'Only the compiler reads YAML; the second file has its types alone.',
    ),
    oneFile(
      ['handlebars'],
      '^dsl/template\\.js$',
      'Only its parser is used, and only by templates: its runtime is lax.',
    ),
    oneFile(['@marcbachmann/cel-js'], '^dsl/expression\\.js$', 'Expressions are one file’s business.'),
    oneFile(
      ['ajv', 'ajv-formats'],
      '^(dsl/json-schema|plugins/schema-check|operators/data/schema-validate|schemas/(generate|[a-z.]*generated))\\.js$',
      'The compiler, the host of operators and the SchemaValidate operator may not import each other.',
    ),
    oneFile(['commander'], '^cli/', 'Only the command line parses arguments.'),
    oneFile(['log-update'], '^cli/picture\\.js$', 'Only the live display moves the cursor.'),
    oneFile(
      ['eld'],
      '^operators/data/language-filter-detect\\.js$',
      'Large tables, loaded when a language is asked for.',
    ),
    oneFile(['llama3-tokenizer-js'], '^operators/data/tokenize[^/]*\\.js$', 'A vocabulary of megabytes.'),
    oneFile(
      ['@huggingface/tokenizers'],
      '^operators/data/tokenize-json\\.js$',
      'Only tokenizer.json files need it.',
    ),
    oneFile(
      ['@huggingface/jinja'],
      '^operators/data/tokenize-template\\.js$',
      'Only chat templates need it.',
    ),
    oneFile(['csv-parse'], '^operators/data/batch-ingest-csv\\.js$', 'Only CSV and TSV need it.'),
    oneFile(
      ['hyparquet', 'hyparquet-compressors'],
      '^operators/data/batch-ingest-parquet(-values)?\\.js$',
      'Only Parquet needs it; the second file has its types alone.',
    ),
    oneFile(
      ['libphonenumber-js'],
      '^operators/data/pii/phone-plans\\.js$',
      'Large tables; only phone numbers need them.',
    ),
    oneFile(
      ['re2js'],
      '^(operators/data/(pii/custom-patterns|s3-glob)|plugins/http-expect)\\.js$',
      'Only users’ patterns need an engine that cannot blow up.',
    ),
  ],
}
