/** Checks values against JSON Schemas with ajv, and says what is wrong in plain sentences. Knows nothing of pipelines. */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import type { JsonObject, JsonSchema } from '../engine/json.ts'
import { keysOf, valueAt } from '../engine/pointer.ts'
import type { Code } from './codes.ts'
import type { Path } from './positions.ts'
import { didYouMean, either, nearest, quote, typeName } from './words.ts'

/** One thing that does not match. */
export interface Mismatch {
  readonly code: Code
  /** What is wrong, without its subject: `must be an integer, not a string`. `subject` tells whether one belongs before it. */
  readonly message: string
  readonly subject: boolean
  readonly path: Path
  /** Whether the key at `path` is meant, not its value. */
  readonly atKey: boolean
  readonly hint: string | null
  /** The keyword that did not hold, and the schema that it stands in. */
  readonly keyword: string
  readonly schema: JsonSchema
}

/** Checks a value; no mismatch means that it is valid. */
export type Validator = (value: unknown) => readonly Mismatch[]

/** Compiles a schema, with ajv's own checks of its keywords. Throws an Error where the schema is not one. */
export function compileSchema(schema: JsonSchema): Validator {
  const validate = ajvFor(schema).compile(schema)
  return (value) => (validate(value) ? [] : mismatches(validate))
}

const validators = new WeakMap<JsonSchema, Validator>()

/** The validator of a schema that is not changed; compiled once. */
export function validatorOf(schema: JsonSchema): Validator {
  const known = validators.get(schema)
  if (known) return known
  const validator = compileSchema(schema)
  validators.set(schema, validator)
  return validator
}

/** Does not check the schemas themselves: ours are checked by tests, those of `params` by the pipeline's schema. */
function ajvFor(schema: JsonSchema): Ajv2020 {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    strict: false,
    meta: false,
    validateSchema: false,
    unicodeRegExp: true,
    logger: false,
    addUsedSchema: false,
    inlineRefs: false,
  })
  const text = JSON.stringify(schema)
  if (text.includes('"format"')) (formats as unknown as (ajv: Ajv2020) => void)(ajv)
  if (text.includes(`"${schemaMark}"`)) ajv.addKeyword({ keyword: schemaMark, validate: isSchema })
  return ajv
}

/** Marks in a schema what must itself be a JSON Schema. One that names its draft is for its reader to judge. */
const schemaMark = 'x-schema'

/** As ajv calls it. */
interface SchemaCheck {
  (marked: boolean, value: unknown, parentSchema?: object): boolean
  errors?: Partial<ErrorObject>[]
}

const isSchema: SchemaCheck = (marked, value, parentSchema = {}) => {
  if (!marked || typeof value !== 'object' || value === null || Object.hasOwn(value, '$schema')) return true
  try {
    compileSchema(value as JsonSchema)
    return true
  } catch (error) {
    isSchema.errors = [{ keyword: schemaMark, params: { why: (error as Error).message }, parentSchema }]
    return false
  }
}

type Fault = Required<ErrorObject>

/** More than anybody reads. The rest is counted, not told: sorting out choices compares each fault with each. */
const faultLimit = 1000

function mismatches(validate: ValidateFunction): Mismatch[] {
  const all = (validate.errors ?? []) as Fault[]
  const faults = all.slice(0, faultLimit)
  const told = faults.some(({ keyword }) => keyword in choices)
    ? withoutBranches(faults, validate.schema as JsonSchema)
    : faults
  const found = told.map(translate)
  return all.length > faultLimit ? [...found, theRest(all.length - faultLimit)] : found
}

function theRest(count: number): Mismatch {
  const message = `${count} more values do not match; mend these first`
  return {
    code: 'E113',
    message,
    subject: false,
    path: [],
    atKey: false,
    hint: null,
    keyword: 'allOf',
    schema: {},
  }
}

/** Keywords that fail because something inside them failed. */
const choices = { oneOf: true, anyOf: true, contains: true, propertyNames: true, if: true }

/**
 * Of a choice that failed only the choice is told, not why each of its branches failed; unless the value has the type of
 * just one branch, which then is the one that was meant: its faults are told, the choice is not.
 */
function withoutBranches(faults: readonly Fault[], root: JsonSchema): Fault[] {
  const dropped = new Set<Fault>()
  for (const choice of faults) {
    if (choice.keyword === 'propertyNames' || choice.keyword === 'if') dropped.add(choice)
    else if (choice.keyword in choices) dropOthers(choice, faults, root, dropped)
    // What a value of another type has or lacks is no news.
    if (choice.keyword in choices && faults.some((fault) => isTypeBeside(fault, choice))) dropped.add(choice)
  }
  return faults.filter((fault) => !dropped.has(fault))
}

function isTypeBeside(fault: Fault, choice: Fault): boolean {
  return (
    fault.keyword === 'type' &&
    fault.instancePath === choice.instancePath &&
    fault.parentSchema === choice.parentSchema
  )
}

function dropOthers(choice: Fault, faults: readonly Fault[], root: JsonSchema, dropped: Set<Fault>): void {
  const below = faults.filter(
    (fault) =>
      fault !== choice &&
      (fault.instancePath === choice.instancePath ||
        fault.instancePath.startsWith(`${choice.instancePath}/`)),
  )
  const targets = [choice.schema as unknown].flat().map((branch) => targetOf(branch, root))
  const branches = targets.map((target) => {
    const schemas = reachable(target, root, new Set())
    // In a recursive schema one branch can be reached from another: at the choice's own place it stands for itself.
    const ofOther = (fault: Fault) =>
      fault.instancePath === choice.instancePath &&
      fault.parentSchema !== target &&
      targets.includes(fault.parentSchema)
    return below.filter((fault) => schemas.has(fault.parentSchema) && !ofOther(fault))
  })
  const fitting = branches.filter(
    (inside) =>
      !inside.some((fault) => fault.instancePath === choice.instancePath && decisive.has(fault.keyword)),
  )
  const [meant] = choice.keyword === 'contains' || fitting.length !== 1 ? [] : fitting
  for (const fault of branches.flat()) if (!meant?.includes(fault)) dropped.add(fault)
  if (meant && meant.length > 0) dropped.add(choice)
}

const decisive = new Set(['type', 'enum', 'const'])

function targetOf(branch: unknown, root: JsonSchema): unknown {
  const { $ref } = Object(branch) as { $ref?: unknown }
  return typeof $ref === 'string' ? resolveReference($ref, root) : branch
}

/** All schemas inside `schema`, through local references; ajv hands out the very objects. */
function reachable(schema: unknown, root: JsonSchema, found: Set<unknown>): Set<unknown> {
  if (typeof schema !== 'object' || schema === null || found.has(schema)) return found
  found.add(schema)
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === '$ref' && typeof value === 'string') reachable(resolveReference(value, root), root, found)
    else reachable(value, root, found)
  }
  return found
}

/** The schema that a local reference (`#/$defs/name`) means; undefined where there is none. */
function resolveReference(reference: string, root: JsonSchema): unknown {
  return reference.startsWith('#') ? valueAt(root as JsonObject, reference.slice(1)) : undefined
}

function translate(error: Fault): Mismatch {
  const path = keysOf(error.instancePath)
  const schema = (error.parentSchema ?? {}) as JsonSchema
  const base = { path, schema, keyword: error.keyword, atKey: false, hint: null, subject: true }
  return { ...base, ...sentence(error, schema, path) }
}

type Sentence = Pick<Mismatch, 'code' | 'message'> & Partial<Mismatch>

function sentence(error: Fault, schema: JsonSchema, path: Path): Sentence {
  const { keyword, data } = error
  const params = error.params as { [name: string]: string & number & readonly unknown[] }
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties')
    return unknownKey(String(params.additionalProperty ?? params.unevaluatedProperty), schema, path)
  if (keyword === 'required' || keyword === 'dependentRequired')
    return {
      code: 'E112',
      message: `${quote(String(params.missingProperty))} is missing`,
      subject: false,
      atKey: true,
      hint: slip(String(params.missingProperty), data, schema),
    }
  if (error.propertyName !== undefined) return badName(error.propertyName, schema, path)
  const says = schema['x-says']
  if (typeof says === 'string' && (keyword === 'type' || typeof data !== 'string'))
    return { code: 'E111', message: `must be ${says}, not ${typeName(data)}` }
  if (typeof says === 'string')
    return { code: 'E113', message: `must be ${says}, not ${shown(data)}`, hint: guess(data, schema) }
  const oneOf = schema['x-one-of']
  if (keyword === 'oneOf' && typeof oneOf === 'string')
    return { code: 'E114', message: oneOf, subject: false, atKey: true }
  return ofKeyword(keyword, params, data, schema)
}

/** A key that is allowed here but known to nobody, and looks like the missing one. */
function slip(missing: string, data: unknown, schema: JsonSchema): string | null {
  if (schema.additionalProperties === false || typeof data !== 'object' || data === null) return null
  const known = (schema.properties ?? {}) as object
  const written = nearest(
    missing,
    Object.keys(data).filter((key) => !Object.hasOwn(known, key)),
  )
  return written === undefined ? null : `did you mean it by ${quote(written)}?`
}

function unknownKey(name: string, schema: JsonSchema, path: Path): Sentence {
  const known = Object.keys((schema.properties as object | undefined) ?? {})
  const fallback =
    known.length === 0 ? null : known.length <= 12 ? `known here: ${known.map(quote).join(', ')}` : null
  const hint = name === '<<' ? 'merge keys are not part of the format' : didYouMean(name, known, fallback)
  return {
    code: 'E110',
    message: `unknown key ${quote(name)}`,
    path: [...path, name],
    atKey: true,
    subject: false,
    hint,
  }
}

function badName(name: string, names: JsonSchema, path: Path): Sentence {
  const allowed = names.enum as readonly string[] | undefined
  const at = { path: [...path, name], atKey: true, subject: false }
  if (allowed) {
    const hint = didYouMean(name, allowed, `one of ${either(allowed.map(quote))}`)
    return { code: 'E110', message: `unknown key ${quote(name)}`, hint, ...at }
  }
  return {
    code: 'E113',
    message: `the name ${quote(name)} is not allowed: ${names['x-says'] ?? 'its schema forbids it'}`,
    ...at,
  }
}

const limits: { readonly [keyword: string]: string } = {
  minimum: 'at least',
  maximum: 'at most',
  exclusiveMinimum: 'more than',
  exclusiveMaximum: 'less than',
}
const counts: { readonly [keyword: string]: readonly [string, string, string] } = {
  minLength: ['at least', 'character', 'characters'],
  maxLength: ['at most', 'character', 'characters'],
  minItems: ['at least', 'item', 'items'],
  maxItems: ['at most', 'item', 'items'],
  minProperties: ['at least', 'key', 'keys'],
  maxProperties: ['at most', 'key', 'keys'],
}

function ofKeyword(
  keyword: string,
  params: { [name: string]: string & number & readonly unknown[] },
  data: unknown,
  schema: JsonSchema,
): Sentence {
  const { limit } = params
  const count = counts[keyword]
  if (count)
    return {
      code: 'E113',
      message: `must have ${count[0]} ${limit} ${Number(limit) === 1 ? count[1] : count[2]}`,
    }
  if (limits[keyword])
    return { code: 'E113', message: `must be ${limits[keyword]} ${limit}, not ${shown(data)}` }
  switch (keyword) {
    case 'type':
      return { code: 'E111', message: `must be ${typeWords(schema.type)}, not ${typeName(data)}` }
    case 'enum':
      return notOneOf(schema.enum as readonly unknown[], data)
    case 'const':
      return notOneOf([schema.const], data)
    case 'pattern':
      return {
        code: 'E113',
        message: `must match the pattern ${quote(String(schema.pattern))}, not ${shown(data)}`,
      }
    case 'format':
      return {
        code: 'E113',
        message: `must have the format ${quote(String(schema.format))}, not ${shown(data)}`,
      }
    case 'multipleOf':
      return { code: 'E113', message: `must be a multiple of ${params.multipleOf}, not ${shown(data)}` }
    case 'uniqueItems':
      return {
        code: 'E113',
        message: `must not hold anything twice: item ${Number(params.j) + 1} equals item ${Number(params.i) + 1}`,
      }
    case 'oneOf':
    case 'anyOf':
      return { code: 'E113', message: `must be ${branchWords(schema[keyword])}, not ${shown(data)}` }
    case schemaMark:
      return { code: 'E113', message: `is no JSON Schema: ${params.why}` }
    case 'false schema':
      return { code: 'E110', message: 'is not allowed here' }
    default:
      return { code: 'E113', message: `does not match what ${quote(keyword)} of its schema asks for` }
  }
}

function notOneOf(allowed: readonly unknown[], data: unknown): Sentence {
  const words = allowed.filter((value): value is string => typeof value === 'string')
  const lookalike =
    typeof data === 'string' && allowed.some((value) => value !== data && String(value) === data)
  const got = lookalike ? `the string ${shown(data)}` : shown(data)
  const message = `must be ${either(allowed.map(shown))}, not ${got}`
  return { code: 'E113', message, hint: typeof data === 'string' ? didYouMean(data, words) : null }
}

/** A word of the branches that the string was probably meant to be. */
function guess(data: unknown, schema: JsonSchema): string | null {
  const words = [schema.oneOf, schema.anyOf]
    .flat()
    .flatMap((branch) => (branch as JsonSchema | undefined)?.enum ?? [])
  return typeof data === 'string'
    ? didYouMean(
        data,
        words.filter((word): word is string => typeof word === 'string'),
      )
    : null
}

const typeWord: { readonly [type: string]: string } = {
  string: 'a string',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean',
  array: 'a list',
  object: 'an object',
  null: 'null',
}

/** JSON Schema's `type` in words: `a string or a list`. */
function typeWords(type: unknown): string {
  return either([type].flat().map((name) => typeWord[String(name)] ?? String(name)))
}

function branchWords(branches: unknown): string {
  const words = (branches as readonly JsonSchema[]).map((branch) => {
    if (typeof branch['x-says'] === 'string') return branch['x-says']
    if (Array.isArray(branch.enum)) return either(branch.enum.map(shown))
    if ('const' in branch) return shown(branch.const)
    if (Array.isArray(branch.required))
      return `an object with ${either(
        branch.required.map((key) => quote(String(key))),
        'and',
      )}`
    return branch.type === undefined ? 'what its schema describes' : typeWords(branch.type)
  })
  return either([...new Set(words)])
}

/** A value in a sentence: strings quoted, lists and objects by their type. */
function shown(value: unknown): string {
  if (typeof value === 'string') return quote(value)
  return typeof value === 'object' && value !== null ? typeName(value) : quote(String(value))
}
