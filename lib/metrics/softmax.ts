/** Probabilities of one row of logits, in float64; the largest logit is subtracted first, so none overflows. */
export function softmax(logits: ArrayLike<number>): Float64Array {
  const largest = maximum(logits)
  const weights = Float64Array.from(logits, (logit) => Math.exp(logit - largest))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/** The natural logarithm of the sum of exponentials of one row, in float64, without overflow. */
export function logSumExp(logits: ArrayLike<number>): number {
  const largest = maximum(logits)
  let total = 0
  for (let index = 0; index < logits.length; index++) total += Math.exp(logits[index]! - largest)
  return largest + Math.log(total)
}

function maximum(values: ArrayLike<number>): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let index = 0; index < values.length; index++) largest = Math.max(largest, values[index]!)
  return largest
}
