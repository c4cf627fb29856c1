import { types } from 'node:util'
import leven from 'leven'
import { FerError, plain } from '../errors.js'

/** Turns a given value into its normal form, or throws an error that names the field. */
export type Check<T> = (value: unknown, name: string) => T

/** One check a field; a field that may be left out has a check that takes `undefined`. */
export type Shape<T> = { readonly [K in keyof T]-?: Check<T[K]> }

/** Reads an options object: every field checked, every default filled in, unknown keys refused. Each is read once. */
export function readOptions<T>(given: unknown, shape: Shape<T>, what = 'options', prefix = ''): T {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) fail(what, 'an object', given)
  const source = given as Record<string, unknown>
  for (const key of Object.keys(source)) {
    if (!Object.hasOwn(shape, key)) throw unknownOption(prefix + key, Object.keys(shape), what)
  }
  const entries = Object.entries<Check<unknown>>(shape as Record<string, Check<unknown>>)
  return Object.fromEntries(
    entries.map(([key, check]) => [key, check(fieldOf(source, key), prefix + key)]),
  ) as T
}

/** Whether it or its class has the field: what some library left in Object.prototype is nobody's option. */
export function hasField(source: object, key: string): boolean {
  let holder: object | null = source
  while (holder !== null && holder !== Object.prototype) {
    if (Object.hasOwn(holder, key)) return true
    holder = Object.getPrototypeOf(holder)
  }
  return false
}

export const fieldOf = (source: object, key: string): unknown =>
  hasField(source, key) ? Reflect.get(source, key) : undefined

/** Several fields of something that may be anything, each read once. */
export function fieldsOf<const K extends string>(source: unknown, ...keys: readonly K[]): Record<K, unknown> {
  const object = Object(source ?? {})
  return Object.fromEntries(keys.map((key) => [key, fieldOf(object, key)])) as Record<K, unknown>
}

function unknownOption(key: string, known: readonly string[], what: string): FerError {
  const bare = key.slice(key.lastIndexOf('.') + 1)
  const near = closest(bare, known)
  const cure = near ? `did you mean \`${near}\`?` : `the known ones are ${known.join(', ')}`
  return new FerError('ERR_UNKNOWN_OPTION', `Unknown field \`${plain(key)}\` in ${what}: ${cure}`)
}

/** Characters of a name that is compared with others: of longer ones the distance takes forever. */
const longestCompared = 100

/** The known name within a third of the length in edits, if there is one. */
export function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > longestCompared) return undefined
  const distance = (candidate: string) => leven(name.toLowerCase(), candidate.toLowerCase())
  const [best] = [...known].sort((a, b) => distance(a) - distance(b))
  return best !== undefined && distance(best) <= Math.max(2, best.length / 3) ? best : undefined
}

export function fail(name: string, expected: string, value: unknown): never {
  throw new FerError('ERR_INVALID_OPTION', `Expected \`${name}\` to be ${expected}, got ${show(value)}`)
}

export function show(value: unknown): string {
  if (value === '') return 'an empty string'
  if (value === null || value === undefined) return `\`${value}\``
  if (typeof value === 'object' || typeof value === 'function')
    return Array.isArray(value) ? 'an array' : typeof value === 'object' ? 'an object' : 'a function'
  return `\`${plain(String(value))}\` (${typeof value})`
}

/** A field that may be left out, and what it then is. */
export function optional<T, const D extends T | undefined>(check: Check<T>, fallback: D): Check<T | D> {
  return (value, name) => (value === undefined ? fallback : check(value, name))
}

export function integer(smallest: number, largest: number): Check<number> {
  return (value, name) => {
    const fits = Number.isSafeInteger(value) && (value as number) >= smallest && (value as number) <= largest
    return fits ? (value as number) : fail(name, `an integer from ${smallest} to ${largest}`, value)
  }
}

export function number(smallest: number, largest: number): Check<number> {
  return (value, name) => {
    const fits = typeof value === 'number' && value >= smallest && value <= largest
    return fits ? value : fail(name, `a number from ${smallest} to ${largest}`, value)
  }
}

export function oneOf<N extends string>(names: readonly N[]): Check<N> {
  return (value, name) => {
    if (names.includes(value as N)) return value as N
    const near = typeof value === 'string' ? closest(value, names) : undefined
    return fail(name, `one of ${names.join(', ')}${near ? ` (did you mean \`${near}\`?)` : ''}`, value)
  }
}

/** Native code reads in place: memory that another thread writes to, or that may be unmapped meanwhile, is refused. */
export function steady<A extends ArrayBufferView>(array: A, name: string): A {
  const { buffer } = array as { buffer: ArrayBufferLike & { resizable?: boolean } }
  const kind = types.isSharedArrayBuffer(buffer) ? 'SharedArrayBuffer' : 'resizable ArrayBuffer'
  if (kind !== 'SharedArrayBuffer' && buffer.resizable !== true) return array
  throw new FerError(
    'ERR_INVALID_OPTION',
    `Expected \`${name}\` not to lie in a ${kind}. Copy it into an array of its own`,
  )
}

export const boolean: Check<boolean> = (value, name) =>
  typeof value === 'boolean' ? value : fail(name, 'true or false', value)

// The system's calls end a path at a NUL, and would use another file.
export const text: Check<string> = (value, name) =>
  typeof value === 'string' && value !== '' && !value.includes('\0')
    ? value
    : fail(name, 'a non-empty string without NUL', value)

export const callback =
  <F extends (...given: never[]) => void>(): Check<F> =>
  (value, name) =>
    typeof value === 'function' ? (value as F) : fail(name, 'a function', value)

export const signal: Check<AbortSignal> = (value, name) =>
  isSignal(value) ? value : fail(name, 'an AbortSignal', value)

/** One made with Object.create passes `instanceof`, and throws where it is used. */
function isSignal(value: unknown): value is AbortSignal {
  try {
    return value instanceof AbortSignal && typeof value.aborted === 'boolean'
  } catch {
    return false
  }
}
