/** Whether a value matches pipeline.schema.json; says nothing of why not. */
export function validate(value: unknown): boolean
