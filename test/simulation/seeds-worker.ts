/** A thread that plays seeds: the promises of thousands of simulations are slow under the hooks of the test runner. */
import { parentPort, workerData } from 'node:worker_threads'
import { plays } from './seeds.ts'

const { play, seeds } = workerData as { readonly play: keyof typeof plays; readonly seeds: readonly number[] }
parentPort?.postMessage(await plays[play](seeds))
