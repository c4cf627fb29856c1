import type { Tensor } from '../tensor.js'
import { digestLength } from './pack-file.js'

/** Some pictures of a set; `digests` has 16 bytes for each picture of the set. */
export interface Digested {
  readonly indices: readonly number[]
  readonly digests: Uint8Array
}

/** Which pictures stay, set by set. */
export type Kept = readonly (readonly number[])[]

const keyOf = ({ digests }: Digested, index: number): string =>
  Buffer.from(digests.buffer, digests.byteOffset + index * digestLength, digestLength).toString('latin1')

/**
 * Leaves of each picture one copy, the first. It is given the mean of its copies' targets: where they conflict, nobody
 * knows which is right.
 */
export function withoutCopies(sets: readonly (Digested & { readonly targets: Tensor<'float32'> })[]): Kept {
  const groups = new Map<string, { set: number; index: number }[]>()
  sets.forEach((set, number) => {
    for (const index of set.indices) {
      const key = keyOf(set, index)
      groups.set(key, [...(groups.get(key) ?? []), { set: number, index }])
    }
  })
  const kept = new Set<string>()
  for (const [first, ...copies] of groups.values()) {
    kept.add(`${first!.set} ${first!.index}`)
    if (copies.length === 0) continue
    const rows = [first!, ...copies].map(({ set, index }) => rowOf(sets[set]!.targets, index))
    rows[0]!.set(rows[0]!.map((_, k) => rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length))
  }
  return sets.map((set, number) => set.indices.filter((index) => kept.has(`${number} ${index}`)))
}

/** Leaves out of `sets` what also occurs in `others`. */
export function withoutOccurring(sets: readonly Digested[], others: readonly Digested[]): Kept {
  const seen = new Set(others.flatMap((set) => set.indices.map((index) => keyOf(set, index))))
  return sets.map((set) => set.indices.filter((index) => !seen.has(keyOf(set, index))))
}

function rowOf({ data, shape }: Tensor<'float32'>, index: number): Float32Array {
  const width = shape[1]!
  return (data as Float32Array).subarray(index * width, (index + 1) * width)
}
