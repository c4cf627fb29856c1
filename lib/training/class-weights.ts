import type { NativeShare } from '../native.js'
import type { Tensor } from '../tensor.js'
import type { TrainingFaces } from './faces.js'

/** Of the class-balanced loss (Cui et al., arXiv 1901.05555): 1 / (1 - beta^n) for n pictures, scaled to 1 in the mean. */
export function balancedWeights(
  { classes, training }: TrainingFaces,
  shares: readonly NativeShare[],
  beta: number,
): Tensor<'float32'> {
  const counts = new Float64Array(classes.length)
  shares.forEach(({ indices }, i) => {
    for (const index of indices) counts[training[i]!.labels[index]!]!++
  })
  const weights = counts.map((count) => (count === 0 ? 0 : (1 - beta) / (1 - beta ** count)))
  const mean = weights.reduce((sum, weight) => sum + weight, 0) / classes.length
  const data = Float32Array.from(weights, (weight) => weight / mean)
  return { dtype: 'float32', shape: [classes.length], data }
}
