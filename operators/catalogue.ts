/** The built-in operators by name, each loaded only when it is used. The folders are the stages (but for HumanReview, which says why). */
import type { Operator } from '../plugins/api.ts'

/** How to load each built-in operator. */
export const builtin: { readonly [name: string]: () => Promise<Operator> } = {
  Approval: async () => (await import('./control/approval.ts')).approval,
  Http: async () => (await import('./control/http.ts')).http,
  HumanReview: async () => (await import('./data/human-review.ts')).humanReview,
  Noop: async () => (await import('./control/noop.ts')).noop,
  Notify: async () => (await import('./control/notify.ts')).notify,
  Shell: async () => (await import('./control/shell.ts')).shell,
  TriggerPipeline: async () => (await import('./control/trigger-pipeline.ts')).triggerPipeline,
  Wait: async () => (await import('./control/wait.ts')).wait,
  BatchIngest: async () => (await import('./data/batch-ingest.ts')).batchIngest,
  DatasetSensor: async () => (await import('./data/dataset-sensor.ts')).datasetSensor,
  Dedup: async () => (await import('./data/dedup.ts')).dedup,
  FileSensor: async () => (await import('./data/file-sensor.ts')).fileSensor,
  HttpSensor: async () => (await import('./data/http-sensor.ts')).httpSensor,
  LanguageFilter: async () => (await import('./data/language-filter.ts')).languageFilter,
  PIIMasker: async () => (await import('./data/pii-masker.ts')).piiMasker,
  QualityFilter: async () => (await import('./data/quality-filter.ts')).qualityFilter,
  S3Sensor: async () => (await import('./data/s3-sensor.ts')).s3Sensor,
  SchemaValidate: async () => (await import('./data/schema-validate.ts')).schemaValidate,
  Split: async () => (await import('./data/split.ts')).split,
  SqlSensor: async () => (await import('./data/sql-sensor.ts')).sqlSensor,
  Tokenize: async () => (await import('./data/tokenize.ts')).tokenize,
}
