import { createHash } from 'node:crypto'
import { FerError } from '../errors.js'
import { integer, optional, readOptions } from '../options/check.js'
import { type Dataset, type Sample, type Split, type SplitName, splitNames } from './dataset.js'
import { drawnExpressions } from './synthetic/expression.js'
import { labelOf, renderFace } from './synthetic/face.js'

/** Changes with every change that alters a pixel, so that packed copies of older faces are not read again. */
const generatorVersion = 1

export interface SyntheticOptions {
  /** Faces in each split, 7 to 1,000,000. */
  readonly count: number
  /** The same seed draws the same faces. 0 to 2^32 - 1; 0 by default. */
  readonly seed?: number
}

/** Faces drawn by this package: seven expressions, 96 x 96 RGB, identities disjoint between the splits. */
export function synthetic(options: SyntheticOptions): Dataset {
  const { count, seed } = readOptions(options, {
    count: integer(7, 1_000_000),
    seed: optional(integer(0, 2 ** 32 - 1), 0),
  })
  return {
    name: seed === 0 ? `synthetic:${count}` : `synthetic:${count} seed ${seed}`,
    splits: async () => splitNames,
    open: async (split) => splitOf(split, count, seed),
  }
}

function splitOf(split: SplitName, count: number, seed: number): Split {
  expectSplit(split)
  return {
    classes: drawnExpressions,
    color: 'rgb',
    samples: Array.from({ length: count }, (_, index) => sampleOf(split, index, seed)),
    fingerprint: fingerprintOf(split, count, seed),
  }
}

function sampleOf(split: SplitName, index: number, seed: number): Sample {
  return {
    name: `${split}/${index}`,
    label: labelOf(index),
    read: () => renderFace({ seed, split, index }),
  }
}

function fingerprintOf(split: SplitName, count: number, seed: number): string {
  const identity = JSON.stringify(['synthetic', generatorVersion, seed, split, count])
  return createHash('sha256').update(identity).digest('hex')
}

function expectSplit(split: SplitName): void {
  if (splitNames.includes(split)) return
  throw new FerError(
    'ERR_UNKNOWN_SPLIT',
    `The synthetic faces have the splits ${splitNames.join(', ')}, not \`${String(split)}\``,
  )
}
