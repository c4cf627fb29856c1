import type { Sample, Split } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { Tensor } from '../tensor.js'

/** How far the sum of a target may be from 1. */
const rounding = 1e-3

/**
 * What is to be learned of each sample of a split, (N, K) over the classes of the training: its target, or all of it on
 * its label. ERR_BAD_DATA where a target is no distribution over the classes of the split.
 */
export function targetsOf(
  { samples, classes: own }: Split,
  labels: Int32Array,
  classes: readonly string[],
): Tensor<'float32'> {
  const places = own.map((name) => classes.indexOf(name))
  const data = new Float32Array(samples.length * classes.length)
  samples.forEach((sample, index) => {
    const row = data.subarray(index * classes.length, (index + 1) * classes.length)
    if (sample.target) spread(checkTarget(sample, own.length), places, row)
    else row[labels[index]!] = 1
  })
  return { dtype: 'float32', shape: [samples.length, classes.length], data }
}

function spread(target: readonly number[], places: readonly number[], row: Float32Array): void {
  target.forEach((part, place) => {
    if (part > 0) row[places[place]!] = part
  })
}

/** Data sets may be the caller's own. */
function checkTarget({ name, target }: Sample, count: number): readonly number[] {
  const parts = Array.from(target!)
  const sum = parts.reduce((total, part) => total + part, 0)
  const isDistribution = parts.every((part) => part >= 0) && Math.abs(sum - 1) <= rounding
  if (parts.length === count && isDistribution) return parts
  throw new FerError(
    'ERR_BAD_DATA',
    `The target of \`${name}\` is no distribution over the ${count} classes of its data set: it has ${parts.length} parts, which sum to ${sum}. Give one part of 0 or more a class, of sum 1`,
  )
}
