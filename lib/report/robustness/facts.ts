import type { Interval } from '../../metrics/bootstrap.js'

/** What the page about a model on degraded faces tells. */
export interface RobustnessFacts {
  /** As it was named. */
  readonly model: string
  readonly data: string
  readonly split: string
  readonly faces: number
  readonly seed: number
  readonly affinity: string
  readonly precision: string
  readonly flip?: true
  /** Of the faces as they are. */
  readonly clean: Measured
  readonly degradations: readonly Degraded[]
}

export interface Measured {
  readonly accuracy: number
  /** 95 %. */
  readonly interval: Interval
}

export interface Degraded extends Measured {
  readonly kind: string
  readonly level: number | string
  readonly unit: string
  /** How many of the faces it changes. */
  readonly changed: number
  /** Of the accuracy, as a fraction of all faces. */
  readonly drop: number
}
