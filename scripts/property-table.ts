/** A Markdown table of an object schema's properties. Knows nothing of what the object is for. */
import type { JsonSchema } from '../engine/json.ts'

/** One row per property: name, type, description and default. `title` heads the first column. */
export function propertyTable(title: string, schema: JsonSchema): string[] {
  const properties = Object.entries((schema.properties ?? {}) as { [name: string]: JsonSchema })
  if (properties.length === 0) {
    return schema.additionalProperties === true ? [`${title}: any object.`, ''] : []
  }
  const required = new Set((schema.required ?? []) as string[])
  const rows = properties.map(([name, property]) => {
    const fallback =
      property.default === undefined ? '' : ` Default: \`${JSON.stringify(property.default)}\`.`
    const need = title === 'Input' && required.has(name) ? ' (required)' : ''
    return `| \`${name}\`${need} | ${cell(typeOf(property))} | ${cell(`${property.description ?? ''}${fallback}`)} |`
  })
  return [`| ${title} | Type | |`, '|---|---|---|', ...rows, '']
}

function typeOf(schema: JsonSchema): string {
  if (schema.const !== undefined) return `\`${JSON.stringify(schema.const)}\``
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => `\`${value}\``).join(', ')
  const choices = (schema.oneOf ?? schema.anyOf) as JsonSchema[] | undefined
  if (choices !== undefined && schema.type === undefined)
    return [...new Set(choices.map(typeOf))].join(' or ')
  if (schema.type === 'array') return `list of ${typeOf((schema.items ?? {}) as JsonSchema)}`
  return [schema.type ?? 'any'].flat().join(' or ')
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').trim()
}
