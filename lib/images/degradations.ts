import type { Picture } from '../datasets/dataset.js'
import {
  blur,
  brighten,
  type ColorMatrix,
  compress,
  type Degrade,
  isBlurred,
  longerSide,
  noise,
  occlude,
  recolor,
  shrink,
} from './degrade.js'

/** What decides whether a degradation changes a picture. */
export type PictureKind = Pick<Picture, 'width' | 'height' | 'channels'>

/** One way of making pictures worse, to one degree. */
export interface Degradation {
  readonly kind: string
  /** What the level is in; empty where it has no unit. */
  readonly unit: string
  readonly level: number | string
  /** Whether it changes a picture such as this. */
  readonly changes: (picture: PictureKind) => boolean
  readonly apply: Degrade
}

/** What a kind at one of its levels does. */
interface Effect {
  readonly apply: Degrade
  readonly changes?: (picture: PictureKind) => boolean
}

const isColored = ({ channels }: PictureKind): boolean => channels === 3

/** ITU-R BT.601, by which this package makes pictures grey. */
const luma = [0.299, 0.587, 0.114] as const

/** Between grey (0), the picture (1) and beyond. */
const saturation = (factor: number): ColorMatrix => {
  const row = (channel: number) => luma.map((part, i) => (1 - factor) * part + (i === channel ? factor : 0))
  return [row(0), row(1), row(2)] as unknown as ColorMatrix
}

const tint = (red: number, green: number, blue: number): ColorMatrix => [
  [red, 0, 0],
  [0, green, 0],
  [0, 0, blue],
]

/** Light of another colour: its red, green and blue as parts of those of white light. */
const tints: Readonly<Record<string, ColorMatrix>> = {
  warm: tint(1.2, 1, 0.75),
  cold: tint(0.75, 1, 1.2),
  green: tint(0.85, 1.1, 0.85),
}

/** One kind: its levels from the mildest on, and what each does. */
function kind<L extends number | string>(
  name: string,
  unit: string,
  levels: readonly L[],
  effectOf: (level: L) => Effect,
): Degradation[] {
  return levels.map((level) => ({ kind: name, unit, level, changes: () => true, ...effectOf(level) }))
}

/** All that a model is tried with; a new kind is a row. */
export const degradations: readonly Degradation[] = [
  ...kind('resolution', 'pixels', [224, 128, 96, 64, 48, 32, 24, 16], (side) => ({
    apply: shrink(side),
    changes: (picture) => longerSide(picture) > side,
  })),
  ...kind('blur', 'sigma in pixels at 112', [0.5, 1, 2, 4], (sigma) => ({
    apply: blur(sigma),
    changes: (picture) => isBlurred(picture, sigma),
  })),
  ...kind('noise', 'deviation in levels', [5, 10, 20, 40], (deviation) => ({ apply: noise(deviation) })),
  ...kind('jpeg', 'quality', [90, 50, 20, 10, 5], (quality) => ({ apply: compress(quality) })),
  ...kind('occlusion', 'part of the area', [0.1, 0.2, 0.3], (part) => ({ apply: occlude(part) })),
  ...kind('brightness', 'factor', [0.4, 0.6, 0.8, 1.25, 1.6], (factor) => ({ apply: brighten(factor) })),
  ...kind('saturation', 'factor', [0, 0.5, 2], (factor) => ({
    apply: recolor(saturation(factor)),
    changes: isColored,
  })),
  ...kind('tint', '', Object.keys(tints), (name) => ({ apply: recolor(tints[name]!), changes: isColored })),
]
