import { indexOfLargest } from '../../metrics/confusion.js'
import { softmax } from '../../metrics/index.js'
import type { Bin } from '../charts/reliability.js'
import type { Answers } from './facts.js'

/** Of equal width, as those of the calibration error. */
const binCount = 15

/** The answers by how sure they are: bin b holds the confidences in ((b - 1) / 15, b / 15]. */
export function reliabilityOf({ logits, labels, classCount }: Answers): Bin[] {
  const sums = Array.from({ length: binCount }, () => ({ faces: 0, sure: 0, right: 0 }))
  for (let face = 0; face < labels.length; face++) {
    const row = logits.subarray(face * classCount, (face + 1) * classCount)
    const answer = indexOfLargest(row)
    const confidence = softmax(row)[answer]!
    const bin = sums[binOf(confidence)]!
    bin.faces++
    bin.sure += confidence
    bin.right += answer === labels[face] ? 1 : 0
  }
  return sums.map(({ faces, sure, right }, b) => ({
    from: b / binCount,
    to: (b + 1) / binCount,
    faces,
    confidence: faces > 0 ? sure / faces : 0,
    accuracy: faces > 0 ? right / faces : 0,
  }))
}

// Rounding may lift the confidence a hair above 1.
const binOf = (confidence: number): number =>
  Math.min(Math.max(Math.ceil(confidence * binCount) - 1, 0), binCount - 1)
