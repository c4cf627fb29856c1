import { createHash } from 'node:crypto'
import type { Picture, Sample, Split } from '../datasets/dataset.js'
import { keyOf } from '../datasets/synthetic/random.js'
import type { Degradation, PictureKind } from './degradations.js'
import { checkPicture } from './pack-picture.js'

/** To be raised with any change that alters a degraded pixel. */
const version = 1

/** Some samples of a split, in their order. */
export function someOf({ pixels: _, ...split }: Split, indices: readonly number[]): Split {
  const samples = indices.map((index) => split.samples[index]!)
  return { ...split, samples, fingerprint: fingerprintOf(split, indices) }
}

/** The same faces, each read as the degradation leaves it: a pure function of the seed, the face and its name. */
export function degraded(split: Split, degradation: Degradation, seed: number): Split {
  const { kind, level } = degradation
  const { pixels: _, ...rest } = split
  return {
    ...rest,
    samples: split.samples.map((sample) => degradedSample(sample, degradation, seed)),
    fingerprint: fingerprintOf(split, [version, kind, level, seed]),
  }
}

const degradedSample = (sample: Sample, { apply, changes }: Degradation, seed: number): Sample => ({
  ...sample,
  read: async () => {
    const picture = await pictureOf(sample)
    return changes(picture) ? apply(picture, keyOf(seed, sample.name)) : picture
  },
})

/** The same faces, of which each tells what kind of picture it is whenever it is read. */
export function observed(split: Split, see: (index: number, picture: PictureKind) => void): Split {
  const { pixels: _, ...rest } = split
  const observing = (sample: Sample, index: number): Sample => ({
    ...sample,
    read: async () => {
      const picture = await pictureOf(sample)
      see(index, picture)
      return picture
    },
  })
  return { ...rest, samples: split.samples.map(observing) }
}

/** Packing checks what it is given, but here that comes too late. */
const pictureOf = async ({ read }: Sample): Promise<Picture> => checkPicture(await read())

const fingerprintOf = ({ fingerprint }: Split, what: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify([fingerprint, what]))
    .digest('hex')
