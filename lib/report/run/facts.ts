import type { Metrics } from '../../metrics/index.js'

/** What the page about a run tells. */
export interface RunFacts {
  /** Of its folder. */
  readonly name: string
  readonly ended: Date
  /** Why it ended before its last epoch, if it did. */
  readonly stopped?: string | undefined
  /** One an epoch that was trained. */
  readonly epochs: readonly EpochFacts[]
  readonly plannedEpochs: number
  readonly best: BestFacts
  /** Of the best model, on the validation faces, as it is used: its logits divided by its temperature. */
  readonly answers: Answers
  /** What the answers would be like without their temperature, if there is one. */
  readonly uncalibrated?: Uncalibrated | undefined
  /** The most certain of the wrong answers first. */
  readonly mistakes: readonly Mistake[]
  /** What the model files say of their making: versions, data, options. */
  readonly provenance: Readonly<Record<string, unknown>>
  /** What became of the faces on the way. */
  readonly notes: readonly string[]
  readonly machine: Readonly<Record<string, unknown>>
  /** Training and validation. */
  readonly seconds: number
  readonly peakMemoryBytes: number
}

/** Of an epoch's line in the log. A run that an older version began may lack what is marked so. */
export interface EpochFacts {
  readonly epoch: number
  readonly loss: number
  readonly validation: Measured
  /** Where an average of the weights is kept. */
  readonly averaged?: Measured
  readonly learningRate?: number
  readonly imagesPerSecond: number
  readonly seconds: number
}

export type Measured = Pick<Metrics, 'accuracy' | 'nll' | 'ece'>

export interface BestFacts {
  readonly epoch: number
  readonly weights: 'trained' | 'averaged'
  readonly metrics: Metrics
}

export interface Answers {
  readonly logits: Float32Array // (N, K), row-major
  readonly labels: ArrayLike<number> // (N)
  readonly classCount: number // K
}

export interface Uncalibrated {
  readonly temperature: number
  readonly nll: number
  readonly ece: number
}

/** A face answered wrong. */
export interface Mistake {
  /** Of the picture. */
  readonly name: string
  readonly truth: string
  readonly answer: string
  /** The probability of the answer, 0 to 1. */
  readonly confidence: number
  /** A data URI; absent where the picture can no longer be read. */
  readonly picture?: string | undefined
}
