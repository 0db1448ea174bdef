/** Operators that only benchmarks use; worker processes load this file by its URL. */
import { defineOperator, type Operator, succeeded } from '../plugins/api.ts'

const now = () => performance.timeOrigin + performance.now()

/** Outputs when its code began and ended, epoch milliseconds with their fractions. */
const stamp = defineOperator<Record<string, never>>({
  name: 'Stamp',
  stage: 'control',
  summary: 'Outputs when its code began and ended.',
  input: { type: 'object', additionalProperties: false },
  output: { type: 'object', additionalProperties: true },
  runtimes: ['inline', 'process'],
  example: 'stamp: { uses: Stamp }',
  run: () => {
    const began = now()
    return succeeded({ began, ended: now() })
  },
})

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2)
}

/** A Fibonacci number, computed in exponential time: the workload by which workflow engines are compared in public. */
const fibo = defineOperator<{ n: number }>({
  name: 'Fibo',
  stage: 'control',
  summary: 'Computes a Fibonacci number the slow way.',
  input: {
    type: 'object',
    properties: { n: { type: 'integer', description: 'Which.' } },
    required: ['n'],
    additionalProperties: false,
  },
  output: { type: 'object', additionalProperties: true },
  runtimes: ['inline', 'process'],
  example: 'fibo: { uses: Fibo, with: { n: 10 } }',
  run: ({ n }) => succeeded({ value: fibonacci(n) }),
})

/** How to load each. */
export const builtin: { readonly [name: string]: () => Promise<Operator> } = {
  Stamp: async () => stamp,
  Fibo: async () => fibo,
}
