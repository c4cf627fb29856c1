/** Fields of fields by their path, as `augmentation.flip`; what is not known is left out. */
export function flattened(fields: unknown, prefix = ''): [path: string, value: unknown][] {
  return Object.entries(Object(fields)).flatMap(([key, value]): [string, unknown][] => {
    if (value === undefined || value === null) return []
    const isGroup = typeof value === 'object' && !Array.isArray(value)
    return isGroup ? flattened(value, `${prefix}${key}.`) : [[prefix + key, value]]
  })
}
