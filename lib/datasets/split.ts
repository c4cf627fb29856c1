import { FerError } from '../errors.js'

export interface Holdout {
  readonly training: Int32Array // indices, ascending
  readonly heldOut: Int32Array // indices, ascending
}

/**
 * Divides the indices of `labels` in two, class by class: of n samples of a class, round(fraction * n) are held out,
 * but at least 1 and at most n - 1, so that both parts know it; a class of one sample stays in training.
 * A pure function of its arguments: the same on every machine.
 */
export function stratifiedHoldout(
  labels: readonly number[] | Int32Array,
  fraction: number,
  seed: number,
): Holdout {
  requireFraction(fraction)
  const held = new Set(indicesByClass(labels).flatMap((members) => draw(members, fraction, seed)))
  const indices = Int32Array.from(labels, (_, index) => index)
  return {
    training: indices.filter((index) => !held.has(index)),
    heldOut: indices.filter((index) => held.has(index)),
  }
}

function requireFraction(fraction: number): void {
  if (fraction > 0 && fraction < 1) return
  const got = `\`${fraction}\` (${typeof fraction})`
  throw new FerError(
    'ERR_INVALID_OPTION',
    `Expected \`fraction\` to be a number between 0 and 1, got ${got}.`,
  )
}

function indicesByClass(labels: ArrayLike<number>): number[][] {
  const members = new Map<number, number[]>()
  for (let index = 0; index < labels.length; index++) {
    const label = labels[index]!
    const known = members.get(label)
    if (known === undefined) members.set(label, [index])
    else known.push(index)
  }
  return [...members.values()]
}

// The members with the smallest hashes: a shuffle without any generator state.
function draw(members: readonly number[], fraction: number, seed: number): number[] {
  if (members.length < 2) return []
  const count = Math.min(Math.max(Math.round(fraction * members.length), 1), members.length - 1)
  const keyed = members.map((index) => ({ index, key: hash(seed, index) }))
  keyed.sort((a, b) => a.key - b.key || a.index - b.index)
  return keyed.slice(0, count).map(({ index }) => index)
}

/** 32 uniform bits for (seed, counter): splitmix32 at position `counter` of the stream that the seed starts. */
function hash(seed: number, counter: number): number {
  const start = mix((seed >>> 0) ^ mix(Math.floor(seed / 2 ** 32) >>> 0))
  return mix((start + Math.imul(counter + 1, 0x9e3779b9)) >>> 0)
}

// The 32-bit finaliser of MurmurHash3 (Appleby, public domain), which splitmix applies to its counter.
function mix(value: number): number {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
