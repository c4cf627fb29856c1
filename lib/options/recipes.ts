import { fieldOf } from './check.js'
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
  if (typeof given !== 'object' || given === null) return given
  const recipe = fieldOf(given, 'recipe')
  if (typeof recipe !== 'string' || !Object.hasOwn(options, recipe)) return given
  const defaults = options[recipe as RecipeName]
  const own = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
  const { augmentation = {} } = own
  const isChange = typeof augmentation === 'object' && !Array.isArray(augmentation)
  return {
    ...defaults,
    ...own,
    augmentation: isChange ? { ...defaults.augmentation, ...augmentation } : augmentation,
  }
}
