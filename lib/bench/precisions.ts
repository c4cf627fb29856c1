import { chosenPrecision } from '../calls.js'
import { native } from '../native.js'

/** Those that this machine has instructions for, and networks can be trained in. */
export const trainingPrecisions = (): ('float32' | 'bfloat16')[] => [
  'float32',
  ...(chosenPrecision('auto') === 'bfloat16' ? (['bfloat16'] as const) : []),
]

/** Those that this machine has instructions for. */
export const machinePrecisions = (): ('float32' | 'bfloat16' | 'int8')[] => [
  ...trainingPrecisions(),
  ...(native.describe().processor.avx512_vnni === true ? (['int8'] as const) : []),
]
