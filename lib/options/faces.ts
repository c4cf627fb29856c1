import { type Dataset, type SplitName, splitNames } from '../datasets/dataset.js'
import { type Check, callback, fail, oneOf, optional, type Shape } from './check.js'

/** How far the pictures of a split have been decoded. */
export interface PackProgress {
  readonly split: string
  readonly done: number
  readonly total: number
}

/** What calls that go through the faces of a data set have in common. */
export interface FacesOptions {
  /** Which faces of the data. A flat data set answers any. */
  split?: SplitName
  /** Hears how many faces have been answered. */
  onProgress?: (done: number, total: number) => void
  /** Hears how far the pictures have been decoded, the first time they are. */
  onPack?: (progress: PackProgress) => void
}

export interface FacesSettings {
  readonly split: SplitName
  readonly onProgress: ((done: number, total: number) => void) | undefined
  readonly onPack: ((progress: PackProgress) => void) | undefined
}

export const facesShape = (split: SplitName): Shape<FacesSettings> => ({
  split: optional(oneOf(splitNames), split),
  onProgress: optional(callback<(done: number, total: number) => void>(), undefined),
  onPack: optional(callback<(progress: PackProgress) => void>(), undefined),
})

export const dataset: Check<Dataset> = (value, name) =>
  typeof (value as Dataset | null)?.open === 'function'
    ? (value as Dataset)
    : fail(name, 'a data set such as datasets.folder(path)', value)
