import type { Dataset, Picture, PixelBlock, Sample, Split, SplitName } from '../../lib/datasets/dataset.js'
import { readTrainOptions } from '../../lib/options/training.js'
import { smallRun } from '../trained.js'

const side = 48 // pixels

/** A grey face all of one level: two of one level are exact copies. */
export interface Level {
  readonly level: number
  readonly label: number
  readonly target?: readonly number[]
}

/** A data set of such faces, `splits` of them by name, or one flat list of them. */
export function levels(
  name: string,
  classes: readonly string[],
  splits: Partial<Record<SplitName, readonly Level[]>> | readonly Level[],
  given: Partial<Split> = {},
): Dataset {
  const isList = (faces: typeof splits): faces is readonly Level[] => Array.isArray(faces)
  const isFlat = isList(splits)
  const facesOf = (split: SplitName) => (isList(splits) ? splits : splits[split]!)
  return {
    name,
    splits: async () => (isFlat ? [] : (Object.keys(splits) as SplitName[])),
    open: async (split) => ({
      classes,
      color: 'grey',
      samples: facesOf(split).map(sampleOf),
      fingerprint: `${name} ${isFlat ? '' : split} ${JSON.stringify(facesOf(split))}`,
      ...given,
    }),
  }
}

const sampleOf = (face: Level, index: number): Sample => ({
  name: `face ${index}`,
  label: face.label,
  ...(face.target ? { target: face.target } : {}),
  read: async () => pictureOf(face),
})

const pictureOf = ({ level }: Level): Picture => ({
  data: new Uint8Array(side * side).fill(level),
  width: side,
  height: side,
  channels: 1,
})

/** The same faces as a block in memory. */
export function blockOf(faces: readonly Level[]): PixelBlock {
  const data = Uint8Array.from({ length: faces.length * side * side }, (_, at) => {
    return faces[Math.floor(at / (side * side))]!.level
  })
  return { data, shape: [faces.length, side, side, 1] }
}

/** `count` faces of each of the labels in turn, no two alike: levels from `first` on. */
export const spread = (first: number, count: number, ...labels: readonly number[]): Level[] =>
  Array.from({ length: count * labels.length }, (_, i) => ({
    level: first + i,
    label: labels[i % labels.length]!,
  }))

/** Options of a small run on the data, with every default filled in. */
export const settingsOf = (given: object) => readTrainOptions({ ...smallRun(), ...given })
