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
}

export const runsOf = ({ perTurn }: Effort, batch: number): number => Math.max(1, Math.round(perTurn / batch))
