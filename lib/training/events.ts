import type { Metrics } from '../metrics/index.js'
import type { FaceCounts } from './packed-faces.js'

/** Training begins, or goes on. */
export interface StartEvent {
  readonly type: 'start'
  /** What is trained and validated on, once copies are left out. */
  readonly faces: FaceCounts
  /** What else became of the faces. */
  readonly notes: readonly string[]
  /** Steps done before: those of the checkpoint that the run goes on from, or 0. */
  readonly step: number
  /** Of the whole run. */
  readonly steps: number
  /** The one that comes first. */
  readonly epoch: number
  readonly epochs: number
  /** Where `resume` was asked for: whether there was a checkpoint to go on from. */
  readonly resumed?: boolean
  /** Why it may not end with the very bits of an unbroken run: what changed since. */
  readonly changed: readonly string[]
  /** What became of the weights to begin with, where there were any. */
  readonly pretrained?: PretrainedReport
}

/** Which tensors a network took over from a file of weights, and which not. */
export interface PretrainedReport {
  readonly path: string
  /** How many tensors were taken over. */
  readonly taken: number
  /** Those of the network that begin fresh, and why. */
  readonly fresh: readonly string[]
  /** Those of the file that the network has no place for. */
  readonly unused: readonly string[]
}

/** A step was taken. Where nobody reads them in time, only the latest is kept. */
export interface StepEvent {
  readonly type: 'step'
  readonly step: number
  /** Of the whole run. */
  readonly steps: number
  readonly epoch: number
  readonly loss: number
  readonly learningRate: number
  readonly imagesPerSecond: number
}

/** An epoch ended and was measured on the validation faces. */
export interface EpochEvent {
  readonly type: 'epoch'
  readonly epoch: number
  readonly epochs: number
  /** Mean of the epoch's steps. */
  readonly loss: number
  readonly validation: Metrics
  /** The same of the running average of the weights, where one is kept. */
  readonly averaged?: Metrics
  /** Whether one of the two is the best model so far. */
  readonly best: boolean
  /** Of the epoch's last step; absent where the run was resumed after it. */
  readonly learningRate?: number
  /** Training alone. */
  readonly imagesPerSecond: number
  /** Training and validation. */
  readonly seconds: number
  readonly peakMemoryBytes: number
}

/** A file was written: the model that is best so far, the latest one, or what `resume` goes on from. */
export interface CheckpointEvent {
  readonly type: 'checkpoint'
  readonly kind: 'best' | 'last' | 'resume'
  readonly epoch: number
  readonly path: string
}

export type TrainEvent = StartEvent | StepEvent | EpochEvent | CheckpointEvent

/**
 * A queue that many may read, each from the beginning. An unread step is replaced by the next one, so a slow reader
 * costs no memory.
 */
export class EventStream {
  readonly #history: TrainEvent[] = []
  readonly #readers = new Set<Reader>()
  #ended = false
  #error: unknown

  push(event: TrainEvent): void {
    append(this.#history, event)
    for (const reader of this.#readers) reader.push(event)
  }

  end(error?: unknown): void {
    this.#ended = true
    this.#error = error
    for (const reader of this.#readers) reader.end(error)
  }

  read(): AsyncIterableIterator<TrainEvent> {
    const reader = new Reader(this.#history, () => this.#readers.delete(reader))
    this.#readers.add(reader)
    if (this.#ended) reader.end(this.#error)
    return reader
  }
}

function append(queue: TrainEvent[], event: TrainEvent): void {
  if (event.type === 'step' && queue.at(-1)?.type === 'step') queue.pop()
  queue.push(event)
}

class Reader implements AsyncIterableIterator<TrainEvent> {
  readonly #queue: TrainEvent[]
  readonly #leave: () => void
  #waiting: (() => void)[] = []
  #ended = false
  #error: unknown

  constructor(history: readonly TrainEvent[], leave: () => void) {
    this.#queue = [...history]
    this.#leave = leave
  }

  push(event: TrainEvent): void {
    append(this.#queue, event)
    this.#wake()
  }

  end(error: unknown): void {
    this.#ended = true
    this.#error = error
    this.#wake()
  }

  async next(): Promise<IteratorResult<TrainEvent>> {
    while (this.#queue.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
    const event = this.#queue.shift()
    if (event) return { done: false, value: event }
    this.#leave()
    const error = this.#error
    this.#error = undefined
    if (error !== undefined) throw error
    return { done: true, value: undefined }
  }

  /** `break` leaves the stream; the run goes on. */
  async return(): Promise<IteratorResult<TrainEvent>> {
    this.#leave()
    this.#queue.length = 0
    this.end(undefined)
    return { done: true, value: undefined }
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
