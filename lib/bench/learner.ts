import { cancellable, settled } from '../calls.js'
import type { Dataset } from '../datasets/dataset.js'
import { pack } from '../images/pack.js'
import { type Network, native, type Trainer } from '../native.js'
import type { AugmentationOptions } from '../options/augmentation.js'
import { readTrainOptions } from '../options/training.js'
import { nativeSettings } from '../training/native-settings.js'
import type { StepSize } from './effort.js'
import type { Times } from './measure.js'
import { describeModel } from './subject.js'

/** What is trained on, and how. */
export interface Lesson extends StepSize {
  readonly precision: 'float32' | 'bfloat16'
  readonly data: Dataset
  readonly augmentation: AugmentationOptions | false
  /** For pictures once they are decoded; those in memory need none. */
  readonly folder?: string
}

/** ResNet-18 + ARM in training, from weights that are always the same. */
export class Learner implements Disposable {
  readonly #network: Network
  readonly #trainer: Trainer
  #steps = 0

  private constructor(network: Network, trainer: Trainer) {
    this.#network = network
    this.#trainer = trainer
  }

  static async make(lesson: Lesson): Promise<Learner> {
    const { imageSize, data, augmentation, folder } = lesson
    const split = await data.open('train')
    const augmented = augmentation !== false
    const images = await pack(split, { imageSize, color: 'rgb', augmented, folder })
    const network = await settled(native.createNetwork(describeModel(imageSize), 0))
    const trainer = new native.Trainer(
      network,
      [{ images, indices: [...split.samples.keys()], weight: 1 }],
      nativeSettings(settingsOf(lesson)),
    )
    return new Learner(network, trainer)
  }

  /** The loss of the last of so many steps, before it was made. */
  async learn(steps: number): Promise<number> {
    let loss = Number.NaN
    this.#steps += steps
    await cancellable(undefined, (cancellation) =>
      this.#trainer.run(this.#steps, Number.POSITIVE_INFINITY, cancellation, (step) => {
        loss = step.loss
      }),
    )
    return loss
  }

  /** As a side's `run`. The steps share a time, since what `train` does once an epoch is done once for all of them. */
  readonly run = async (steps: number): Promise<Times> => {
    const started = performance.now()
    await this.learn(steps)
    return [(performance.now() - started) / steps]
  };

  [Symbol.dispose](): void {
    this.#trainer.dispose()
    this.#network.dispose()
  }
}

const settingsOf = ({ data, batch, precision, augmentation }: Lesson) =>
  readTrainOptions({
    data,
    output: 'none, since only `train` writes',
    batchSize: batch,
    precision,
    optimizer: 'adam',
    learningRate: 1e-3,
    weightDecay: 1e-4,
    schedule: 'constant',
    warmupEpochs: 0,
    labelSmoothing: 0,
    clipNorm: 0,
    augmentation,
  })

/** Lets `use` work with a learner for each lesson. */
export async function withLearners<T>(
  lessons: readonly Lesson[],
  use: (learners: readonly Learner[]) => Promise<T>,
): Promise<T> {
  const learners: Learner[] = []
  try {
    for (const lesson of lessons) learners.push(await Learner.make(lesson))
    return await use(learners)
  } finally {
    for (const learner of learners) learner[Symbol.dispose]()
  }
}
