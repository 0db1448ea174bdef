/** Whether a value matches config.schema.json; says nothing of why not. */
export function validate(value: unknown): boolean
