import { FerError } from '../errors.js'
import type { Split } from './dataset.js'

/** The labels of a split as indices into the model's classes. ERR_CLASS_MISMATCH where the model lacks one. */
export function labelsFor(classes: readonly string[], split: Split): Int32Array {
  const places = split.classes.map((name) => classes.indexOf(name))
  return Int32Array.from(split.samples, ({ label }) => {
    const place = places[label] ?? -1
    if (place >= 0) return place
    throw new FerError(
      'ERR_CLASS_MISMATCH',
      `The data have the class ${split.classes[label]}, which the model does not know; it knows ${classes.join(', ')}. Leave those pictures out, or use a model with that class`,
    )
  })
}
