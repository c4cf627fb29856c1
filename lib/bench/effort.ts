/** A batch that is trained on. */
export interface StepSize {
  readonly imageSize: number
  readonly batch: number
}

/** How much is measured of training, whose steps take seconds. */
export interface TrainingEffort {
  readonly large: StepSize
  readonly small: StepSize
  readonly rounds: number
  /** A turn. */
  readonly steps: number
  /** Batches in a folder of pictures. */
  readonly batches: number
  /** Pictures in a batch, for the memory that a step takes. */
  readonly peaks: readonly number[]
}

/** How much is measured. */
export interface Effort {
  readonly imageSize: number
  readonly batches: readonly number[]
  readonly rounds: number
  /** Milliseconds between two sides: threads of ONNX Runtime spin for 30 before they sleep. */
  readonly pause: number
  /** Pictures a turn, at least one batch. */
  readonly perTurn: number
  /** Of an operator alone, a turn: of tenths of a millisecond, so that most find caches and threads awake. */
  readonly operatorRuns: number
  /** Processes started for each side of a cold start. */
  readonly starts: number
  /** Pictures in one buffer, for the memory that they take. */
  readonly views: number
  readonly training: TrainingEffort
}

export const thorough: Effort = {
  imageSize: 224,
  batches: [1, 32],
  rounds: 11,
  pause: 100,
  perTurn: 10,
  operatorRuns: 200,
  starts: 7,
  views: 7000,
  training: {
    large: { imageSize: 224, batch: 32 },
    small: { imageSize: 64, batch: 128 },
    rounds: 7,
    steps: 3,
    batches: 4,
    peaks: [32, 256],
  },
}

/** Shows in seconds that everything runs. Its figures mean nothing. */
export const quick: Effort = {
  imageSize: 64,
  batches: [1, 4],
  rounds: 2,
  pause: 0,
  perTurn: 4,
  operatorRuns: 2,
  starts: 1,
  views: 64,
  training: {
    large: { imageSize: 112, batch: 4 },
    small: { imageSize: 64, batch: 4 },
    rounds: 2,
    steps: 1,
    batches: 2,
    peaks: [4],
  },
}

export const runsOf = ({ perTurn }: Effort, batch: number): number => Math.max(1, Math.round(perTurn / batch))
