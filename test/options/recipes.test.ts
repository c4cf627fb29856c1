import test from 'ava'
import { datasets, FerError, type TrainOptions } from '../../lib/index.js'
import { readTrainOptions } from '../../lib/options/training.js'

const given = { data: datasets.synthetic({ count: 7 }), output: 'runs/x' }
const read = (options: Partial<TrainOptions>) => readTrainOptions({ ...given, ...options })

test('the recipe of ARM on RAF-DB is the published one', (t) => {
  // Shi & Zhu, arXiv 2103.10189, and the training script of its code.
  t.like(read({ recipe: 'arm-raf-db' }), {
    epochs: 70,
    batchSize: 256,
    imageSize: 224,
    stem: 'standard',
    optimizer: 'adam',
    learningRate: 1e-3,
    weightDecay: 1e-4,
    schedule: 'exponential',
    decay: 0.9,
    warmupEpochs: 0,
    augmentation: {
      flip: 0,
      shift: 0,
      scale: 0,
      rotation: 0,
      brightness: 0,
      contrast: 0,
      noise: 0,
      noiseDeviation: Math.sqrt(30),
      flipOrNoise: 0.5,
      erase: 0.5,
      eraseSmallest: 0.02,
      eraseLargest: 0.1,
    },
  })
})

test('what is given beside a recipe counts, field by field; what is undefined does not', (t) => {
  const settings = read({
    recipe: 'arm-raf-db',
    epochs: 2,
    learningRate: undefined,
    augmentation: { erase: 0 },
  } as object)
  t.like(settings, { epochs: 2, learningRate: 1e-3, augmentation: { erase: 0, flipOrNoise: 0.5, flip: 0 } })
  t.like(read({ recipe: 'arm-raf-db', augmentation: false }).augmentation, { erase: 0, flipOrNoise: 0 })
})

test('an unknown recipe is refused', (t) => {
  for (const recipe of ['arm-raf', 'toString', '__proto__'])
    t.throws(() => read({ recipe } as object), {
      instanceOf: FerError,
      message: /`recipe` to be one of arm-raf-db/,
    })
})
