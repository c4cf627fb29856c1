/** The options of a run are groups of fields, and what surrounds them is a group: nothing of ours goes deeper. */
const deepest = 4

/** What stands for a value that is none of an option. */
const tooDeep = '...'

export type Primitive = string | number | boolean | null | undefined
export type Value = Primitive | readonly Primitive[]

/**
 * Fields of fields by their path, as `augmentation.flip`; what is not known is left out. They may come from a file that
 * someone else wrote: what is no group of fields has none, and what lies too deep is not followed.
 */
export function flattened(fields: unknown, prefix = '', depth = deepest): [path: string, value: Value][] {
  if (!isGroup(fields)) return []
  return Object.entries(fields).flatMap(([key, value]): [string, Value][] => {
    if (value === undefined || value === null) return []
    const isFollowed = isGroup(value) && depth > 1
    return isFollowed ? flattened(value, `${prefix}${key}.`, depth - 1) : [[prefix + key, valueIn(value)]]
  })
}

export const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const valueIn = (value: unknown): Value =>
  Array.isArray(value) ? value.map(primitiveIn) : primitiveIn(value)

const primitiveIn = (value: unknown): Primitive =>
  typeof value === 'object' && value !== null ? tooDeep : (value as Primitive)

/** For people: of a fraction the digits that someone chose, without those that arithmetic added. */
export const shown = (value: Value): string =>
  typeof value === 'object' && value !== null ? value.map(shownPrimitive).join(', ') : shownPrimitive(value)

const shownPrimitive = (value: Primitive): string =>
  typeof value === 'number' && !Number.isInteger(value) ? String(Number(value.toPrecision(9))) : String(value)
