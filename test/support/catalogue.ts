/** Operators for tests of the DSL: the built-in ones, and descriptions made up by a test. Knows nothing of running. */
import type { Catalogue } from '../../dsl/operators.ts'
import type { OperatorInfo } from '../../engine/pipeline.ts'
import { builtin } from '../../operators/catalogue.ts'
import { describe } from '../../plugins/api.ts'

/** The built-in operators. */
export const builtinCatalogue: Catalogue = {
  names: () => Object.keys(builtin),
  find: async (name) =>
    Object.hasOwn(builtin, name) ? describe(await (builtin[name] as () => Promise<never>)()) : undefined,
}

/** The built-in operators and these. */
export function catalogueWith(...operators: readonly OperatorInfo[]): Catalogue {
  return {
    names: () => [...builtinCatalogue.names(), ...operators.map(({ name }) => name)],
    find: async (name) => operators.find((operator) => operator.name === name) ?? builtinCatalogue.find(name),
  }
}

/** An operator that takes anything and gives `outputs` of unknown type, but for what is said of it. */
export function operator(info: Partial<OperatorInfo> & { readonly name: string }): OperatorInfo {
  return {
    version: 1,
    stage: 'control',
    summary: `${info.name} of a test.`,
    input: { type: 'object' },
    output: { type: 'object', additionalProperties: true },
    runtimes: ['process'],
    effects: 'data',
    sensor: false,
    timeout: null,
    example: '',
    ...info,
  }
}
