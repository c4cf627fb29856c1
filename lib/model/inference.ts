import { chosenDevice, chosenPrecision } from '../calls.js'
import { FerError } from '../errors.js'
import type { NativeInference } from '../native.js'
import type { InferenceSettings } from '../options/inference.js'
import { type ModelInfo, ownAffinity, type Quantization } from './info.js'

/** Inference options for a network, its own affinity filled in. */
export function inferenceFor(info: ModelInfo, settings: InferenceSettings): NativeInference {
  const { batchSize, precision, device, flip, affinity = ownAffinity(info) } = settings
  const { ranges } = precision === 'int8' ? quantizationOf(info) : {}
  return {
    batchSize,
    flip,
    // Only processors compute int8.
    device: precision === 'int8' && device === 'auto' ? 'cpu' : chosenDevice(device),
    precision: chosenPrecision(precision, device),
    affinity,
    ...(ranges ? { ranges } : {}),
  }
}

function quantizationOf({ quantization }: ModelInfo): Quantization {
  if (quantization) return quantization
  throw new FerError(
    'ERR_NOT_QUANTIZED',
    'Precision `int8` needs a quantised model. Measure this one over training faces with `model.quantize(data)` or `fer-torch quantize`, or choose another precision',
  )
}
