/** The built-in operators by name, each loaded only when it is used. The folders are the stages. */
import type { Operator } from '../plugins/api.ts'

/** How to load each built-in operator. */
export const builtin: { readonly [name: string]: () => Promise<Operator> } = {
  Noop: async () => (await import('./control/noop.ts')).noop,
  Notify: async () => (await import('./control/notify.ts')).notify,
  Shell: async () => (await import('./control/shell.ts')).shell,
  Wait: async () => (await import('./control/wait.ts')).wait,
  BatchIngest: async () => (await import('./data/batch-ingest.ts')).batchIngest,
  Dedup: async () => (await import('./data/dedup.ts')).dedup,
  FileSensor: async () => (await import('./data/file-sensor.ts')).fileSensor,
  LanguageFilter: async () => (await import('./data/language-filter.ts')).languageFilter,
  PIIMasker: async () => (await import('./data/pii-masker.ts')).piiMasker,
  QualityFilter: async () => (await import('./data/quality-filter.ts')).qualityFilter,
  SchemaValidate: async () => (await import('./data/schema-validate.ts')).schemaValidate,
  Split: async () => (await import('./data/split.ts')).split,
  Tokenize: async () => (await import('./data/tokenize.ts')).tokenize,
}
