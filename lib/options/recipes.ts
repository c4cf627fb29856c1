import type { TrainOptions } from './training.js'

export const recipes = ['arm-raf-db'] as const
export type RecipeName = (typeof recipes)[number]

const none = { flip: 0, shift: 0, scale: 0, rotation: 0, brightness: 0, contrast: 0 }

const options: Readonly<Record<RecipeName, Partial<TrainOptions>>> = {
  /**
   * RAF-DB as Shi & Zhu train ARM (arXiv 2103.10189 and its code), who begin with a ResNet-18 of ImageNet: name one as
   * `pretrained`. They choose the epoch on the test faces, which this package does not do.
   */
  'arm-raf-db': {
    epochs: 70,
    batchSize: 256,
    imageSize: 224,
    backbone: 'resnet18',
    head: 'arm',
    stem: 'standard',
    optimizer: 'adam',
    learningRate: 1e-3,
    weightDecay: 1e-4,
    schedule: 'exponential',
    decay: 0.9,
    warmupEpochs: 0,
    labelSmoothing: 0,
    clipNorm: 0,
    augmentation: {
      ...none,
      flipOrNoise: 0.5,
      noiseDeviation: Math.sqrt(30),
      erase: 0.5,
      eraseSmallest: 0.02,
      eraseLargest: 0.1,
    },
  },
}

/** The options given, and those of their recipe where they are left out. An unknown recipe is left for the checks. */
export function withRecipe(given: unknown): unknown {
  const { recipe, augmentation } = (given ?? {}) as Partial<TrainOptions>
  if (recipe === undefined || !Object.hasOwn(options, recipe)) return given
  const defaults = options[recipe]
  const changed =
    typeof augmentation === 'object' ? { ...defaults.augmentation, ...augmentation } : augmentation
  const own = Object.entries(given as TrainOptions).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(own), augmentation: changed ?? defaults.augmentation }
}
