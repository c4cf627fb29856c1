import { createHash } from 'node:crypto'
import type { Dataset, Sample, Split } from 'fer-torch'

/** A way to arrange the faces of a list; the name tells packed copies apart. */
export interface Order {
  readonly name: string
  readonly arrange: (samples: readonly Sample[]) => readonly Sample[]
}

/** As the data set lists them. */
export const listed: Order = { name: 'as listed', arrange: (samples) => samples }

/** All of the first class, then all of the second, and so on. */
export const byClass: Order = {
  name: 'by class',
  arrange: (samples) => samples.toSorted((a, b) => a.label - b.label),
}

/** By a hash of seed and place: the same on every machine. */
export const shuffled = (seed: number): Order => ({
  name: `shuffled with seed ${seed}`,
  arrange: (samples) =>
    samples
      .map((sample, place) => ({ sample, key: hashOf(seed, place) }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ sample }) => sample),
})

const hashOf = (seed: number, place: number): string =>
  createHash('sha256').update(`${seed} ${place}`).digest('hex')

/** The same faces in another order. */
export function reordered(data: Dataset, order: Order): Dataset {
  const open: Dataset['open'] = async (split) => rearranged(await data.open(split), order)
  return { ...data, name: `${data.name}, ${order.name}`, open }
}

// A block of pixels in memory has the order of the list: without it, the faces are read one by one.
function rearranged({ pixels: _, ...split }: Split, { name, arrange }: Order): Split {
  const fingerprint = `${split.fingerprint}, ${name}`
  return { ...split, fingerprint, samples: arrange(split.samples) }
}
