/** The built-in operators' data, for whoever compiles or shows them; each is loaded when asked for. Opens nothing. */
import type { Catalogue } from '../dsl/operators.ts'
import type { OperatorInfo } from '../engine/pipeline.ts'
import { builtin } from '../operators/catalogue.ts'
import { describe } from '../plugins/api.ts'

/** What the compiler asks for. */
export const catalogue: Catalogue = {
  names: () => Object.keys(builtin),
  async find(name) {
    const load = Object.hasOwn(builtin, name) ? builtin[name] : undefined
    return load === undefined ? undefined : describe(await load())
  },
}

/** Every operator's data, in the order of the catalogue. */
export async function allOperators(): Promise<readonly OperatorInfo[]> {
  return Promise.all(Object.values(builtin).map(async (load) => describe(await load())))
}
