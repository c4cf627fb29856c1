import type { Split } from '../datasets/dataset.js'
import type { Tensor } from '../tensor.js'

/**
 * What is to be learned of each sample of a split, (N, K) over the classes of the training: its target, or all of it on
 * its label.
 */
export function targetsOf(
  { samples, classes: own }: Split,
  labels: Int32Array,
  classes: readonly string[],
): Tensor<'float32'> {
  const places = own.map((name) => classes.indexOf(name))
  const data = new Float32Array(samples.length * classes.length)
  samples.forEach(({ target }, index) => {
    const row = data.subarray(index * classes.length, (index + 1) * classes.length)
    if (!target) row[labels[index]!] = 1
    target?.forEach((part, place) => {
      if (part > 0) row[places[place]!] = part
    })
  })
  return { dtype: 'float32', shape: [samples.length, classes.length], data }
}
