import { type SplitName, splitNames } from '../datasets/dataset.js'
import { callback, integer, oneOf, optional, type Shape } from './check.js'
import { type InferenceOptions, type InferenceSettings, inferenceShape } from './inference.js'

export interface RobustnessOptions extends InferenceOptions {
  /**
   * Which faces of the data; `validation`. What is asked is how far the accuracy falls, and for that the test split, kept
   * for one last figure, need not be touched. A flat data set answers any; of one without validation faces, name another.
   */
  split?: SplitName
  /** How many faces are degraded at most, evenly spaced over the split; 1000. */
  limit?: number
  /** Decides the noise and the places of the blocks; 0. */
  seed?: number
  /** Hears how far it has come: of every degradation, each face counts once when it is read and once when it is answered. */
  onProgress?: (done: number, total: number) => void
}

export interface RobustnessSettings extends InferenceSettings {
  readonly split: SplitName
  readonly limit: number
  readonly seed: number
  readonly onProgress: ((done: number, total: number) => void) | undefined
}

export const robustnessShape: Shape<RobustnessSettings> = {
  ...inferenceShape,
  split: optional(oneOf(splitNames), 'validation'),
  limit: optional(integer(1, 1e6), 1000),
  seed: optional(integer(0, 2 ** 32 - 1), 0),
  onProgress: optional(callback<(done: number, total: number) => void>(), undefined),
}
