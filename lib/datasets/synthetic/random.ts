/** Draws that depend on a key and on what they are for, never on how many were made before. */
export interface Random {
  /** From `low` up to, not including, `high`. */
  readonly uniform: (purpose: string, low: number, high: number) => number
  readonly chance: (purpose: string, probability: number) => boolean
  readonly pick: <Choice>(purpose: string, choices: readonly Choice[]) => Choice
}

/** The finalizer of MurmurHash3 (Appleby, 2011, public domain): every input bit reaches every output bit. */
export function scramble(value: number): number {
  let bits = value | 0
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}

/** Order matters: (1, 2) and (2, 1) give different keys. The constant is 2^32 over the golden ratio. */
export function combine(key: number, value: number): number {
  return scramble(Math.imul(key, 31) + scramble(value + 0x9e3779b9))
}

export function keyOf(seed: number, ...path: readonly (number | string)[]): number {
  return path.reduce<number>(
    (key, part) => combine(key, typeof part === 'string' ? hashText(part) : part),
    combine(seed, 0),
  )
}

export function randomOf(key: number): Random {
  const fraction = (purpose: string) => combine(key, hashText(purpose)) / 2 ** 32
  return {
    uniform: (purpose, low, high) => low + (high - low) * fraction(purpose),
    chance: (purpose, probability) => fraction(purpose) < probability,
    pick: (purpose, choices) => choices[Math.floor(fraction(purpose) * choices.length)]!,
  }
}

/** FNV-1a, 32 bits. */
function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash >>> 0
}
