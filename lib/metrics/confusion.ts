/** Counts of (truth, prediction): a row a true class, a column a predicted class. */
export type Confusion = readonly (readonly number[])[] // (K, K)

/** The index of the largest logit of each row; of equal ones, the first. `logits` is (N, K), row-major. */
export function predictedClasses(logits: Float32Array, classCount: number): Int32Array {
  return Int32Array.from({ length: logits.length / classCount }, (_, row) =>
    indexOfLargest(logits.subarray(row * classCount, (row + 1) * classCount)),
  )
}

/** Index of the largest value; of equal ones, the first. */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = 0
  for (let index = 1; index < values.length; index++) if (values[index]! > values[best]!) best = index
  return best
}

export function confusionMatrix(
  truths: ArrayLike<number>,
  predictions: ArrayLike<number>,
  classCount: number,
): number[][] {
  const counts = Array.from({ length: classCount }, () => new Array<number>(classCount).fill(0))
  for (let sample = 0; sample < truths.length; sample++) {
    const row = counts[truths[sample]!]!
    row[predictions[sample]!]!++
  }
  return counts
}
