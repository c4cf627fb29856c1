import type { NativeAugmentation } from '../native.js'
import { fail, number, optional, readOptions } from './check.js'

/** What may happen to a training picture; each amount limits a uniform draw, and 0 switches it off. */
export interface AugmentationOptions {
  /** Probability of a horizontal flip; 0.5. */
  flip?: number
  /** Largest shift along each axis, as a fraction of the side; 0.08. Edges repeat. */
  shift?: number
  /** 0.1 (the default) enlarges or shrinks by up to 1.1. */
  scale?: number
  /** Largest turn either way, in degrees; 10. */
  rotation?: number
  /** 0.2 (the default) multiplies all levels by 0.8 to 1.2. */
  brightness?: number
  /** The same, about the picture's mean; 0.2. */
  contrast?: number
  /** Probability of Gaussian noise on the picture before it is resampled; 0. */
  noise?: number
  /** Its standard deviation in grey levels; 5.5, the published variance of 30. */
  noiseDeviation?: number
  /** Probability of exactly one of a flip and noise, each as likely, as published for ARM; beside `flip` and `noise`; 0. */
  flipOrNoise?: number
  /** Probability of erasing one rectangle (arXiv 1708.04896); 0.25. */
  erase?: number
  /** Its smallest and largest area, as fractions of the picture's; 0.02 and 0.1. */
  eraseSmallest?: number
  eraseLargest?: number
  /** Probability of making the picture smaller before it is brought to size, as one from afar is; 0. */
  coarsen?: number
  /** The smallest fraction of its sides that is left; 0.33. */
  coarsenSmallest?: number
}

const fraction = (fallback: number) => optional(number(0, 1), fallback)

const nothing: AugmentationOptions = {
  flip: 0,
  shift: 0,
  scale: 0,
  rotation: 0,
  brightness: 0,
  contrast: 0,
  noise: 0,
  flipOrNoise: 0,
  erase: 0,
  coarsen: 0,
}

export function readAugmentation(given: unknown, name: string): NativeAugmentation {
  const settings = readOptions<NativeAugmentation>(
    given === false ? nothing : given,
    {
      flip: fraction(0.5),
      shift: optional(number(0, 0.5), 0.08),
      scale: fraction(0.1),
      rotation: optional(number(0, 180), 10),
      brightness: fraction(0.2),
      contrast: fraction(0.2),
      noise: fraction(0),
      noiseDeviation: optional(number(0, 255), Math.sqrt(30)),
      flipOrNoise: fraction(0),
      erase: fraction(0.25),
      eraseSmallest: fraction(0.02),
      eraseLargest: fraction(0.1),
      coarsen: fraction(0),
      coarsenSmallest: optional(number(0.01, 1), 0.33),
    },
    name,
    `${name}.`,
  )
  const { eraseSmallest, eraseLargest } = settings
  if (eraseSmallest > eraseLargest) fail(`${name}.eraseSmallest`, 'at most `eraseLargest`', eraseSmallest)
  return settings
}
