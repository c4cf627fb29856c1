import { chosenDevice } from '../calls.js'
import type { NativeTraining } from '../native.js'
import { frozenParts, type TrainingSettings } from '../options/training.js'
import type { Tensor } from '../tensor.js'

/** The settings as native code takes them: by number where it counts. */
export const nativeSettings = (
  { freeze, device, ...settings }: TrainingSettings,
  classWeights?: Tensor<'float32'>,
): NativeTraining => ({
  ...settings,
  device: chosenDevice(device),
  freeze: frozenParts.indexOf(freeze),
  ...(classWeights ? { classWeights } : {}),
})
