import { readFileSync } from 'node:fs'
import t from 'tap'
import { errorsOf } from '../support/compiled.ts'

// A file that uses nearly every key of the format, with operators of every stage.
const text = readFileSync(new URL('../golden/whole-format.yaml', import.meta.url), 'utf8')

t.test('of a file with nearly every key only what is not there yet is refused', async (t) => {
  t.strictSame(await errorsOf(text), [
    'E125 unknown operator `DockerGPUTrain`',
    'E115 the runtime `docker` is not supported yet',
    'E115 `checkpoint` is not supported yet',
    'E125 unknown operator `Evaluate`',
    'E125 unknown operator `CanaryShift`',
    'E128 `channel` must be `console`, not `slack` (operator `Notify`)',
  ])
})
