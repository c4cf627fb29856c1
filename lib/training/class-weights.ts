import type { NativeShare } from '../native.js'
import type { Tensor } from '../tensor.js'
import type { TrainingFaces } from './faces.js'
import { targetsOf } from './targets.js'

/**
 * Of the class-balanced loss (Cui et al., arXiv 1901.05555): 1 / (1 - beta^n) for n pictures, scaled to 1 in the mean.
 * A picture whose target is spread over several classes counts in parts.
 */
export function balancedWeights(
  { classes, training }: TrainingFaces,
  shares: readonly NativeShare[],
  beta: number,
): Tensor<'float32'> {
  const counts = new Float64Array(classes.length)
  shares.forEach(({ indices }, i) => {
    const { split, labels } = training[i]!
    const targets = targetsOf(split, labels, classes).data as Float32Array
    for (const index of indices)
      counts.forEach((_, k) => {
        counts[k]! += targets[index * classes.length + k]!
      })
  })
  const weights = counts.map((count) => weightOf(count, beta))
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / classes.length
  const data = Float32Array.from(weights, (weight) => weight / mean)
  return { dtype: 'float32', shape: [classes.length], data }
}

/** A class that has less than one picture in all weighs as if it had one, or it would outweigh all others. */
function weightOf(count: number, beta: number): number {
  return count === 0 ? 0 : (1 - beta) / (1 - beta ** Math.max(count, 1))
}
