import { FerError } from '../errors.js'

/** A metric of no samples, or of logits that are not numbers, would be a number that means nothing. */
export function requireMeasurable(logits: Float32Array, labels: ArrayLike<number>, classCount: number): void {
  if (labels.length === 0) throw new FerError('ERR_DATASET_EMPTY', 'Cannot measure a model on no samples.')
  if (logits.length !== labels.length * classCount) {
    const expected = `${labels.length} x ${classCount}`
    throw new FerError(
      'ERR_INVALID_OPTION',
      `Expected \`logits\` to hold ${expected} values, got ${logits.length}.`,
    )
  }
  const unknown = Array.from(labels).findIndex(
    (label) => !(Number.isInteger(label) && label >= 0 && label < classCount),
  )
  if (unknown >= 0) {
    const range = `an integer from 0 to ${classCount - 1}`
    throw new FerError(
      'ERR_UNKNOWN_CLASS',
      `Expected \`labels[${unknown}]\` to be ${range}, got \`${labels[unknown]}\`.`,
    )
  }
  const broken = logits.findIndex((logit) => !Number.isFinite(logit))
  if (broken < 0) return
  const sample = Math.floor(broken / classCount)
  throw new FerError(
    'ERR_BAD_MODEL',
    `The model answers face ${sample} with \`${logits[broken]}\`: its weights are damaged, or were trained with too large steps. Train it anew`,
  )
}
