import { indexOfLargest } from './confusion.js'
import { logSumExp, softmax } from './softmax.js'

/** Mean of -ln p(truth), in nats; `logits` is (N, K), row-major. */
export function negativeLogLikelihood(logits: Float32Array, truths: ArrayLike<number>): number {
  let total = 0
  eachRow(logits, truths, (row, truth) => {
    total += logSumExp(row) - row[truth]!
  })
  return total / truths.length
}

const binCount = 15

/**
 * Expected calibration error (Guo et al. 2017, arXiv:1706.04599): the samples fall into 15 bins of equal width by
 * the probability of their top class, ((b - 1) / 15, b / 15]; the result is the mean, weighted by samples, of the
 * distance between a bin's accuracy and its mean confidence. `logits` is (N, K), row-major.
 */
export function expectedCalibrationError(logits: Float32Array, truths: ArrayLike<number>): number {
  // Hits minus confidence, summed: |accuracy - confidence| of a bin times its size.
  const gaps = new Float64Array(binCount)
  eachRow(logits, truths, (row, truth) => {
    const probabilities = softmax(row)
    const top = indexOfLargest(row)
    const confidence = probabilities[top]!
    gaps[binOf(confidence)]! += (top === truth ? 1 : 0) - confidence
  })
  return gaps.reduce((total, gap) => total + Math.abs(gap), 0) / truths.length
}

// Rounding may lift the confidence a hair above 1.
function binOf(confidence: number): number {
  return Math.min(Math.max(Math.ceil(confidence * binCount) - 1, 0), binCount - 1)
}

function eachRow(
  logits: Float32Array,
  truths: ArrayLike<number>,
  visit: (row: Float32Array, truth: number) => void,
): void {
  const classCount = logits.length / truths.length
  for (let sample = 0; sample < truths.length; sample++) {
    visit(logits.subarray(sample * classCount, (sample + 1) * classCount), truths[sample]!)
  }
}
