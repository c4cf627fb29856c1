import { settled } from './calls.js'
import type { Metrics } from './metrics/index.js'
import { imageNet, type ModelInfo } from './model/info.js'
import { Model } from './model.js'
import { native } from './native.js'
import { readTrainOptions, type TrainingSettings, type TrainOptions } from './options/training.js'
import { begin } from './training/beginning.js'
import { EventStream, type TrainEvent } from './training/events.js'
import { listFaces, type TrainingFaces } from './training/faces.js'
import { claimOutput, type Output } from './training/output.js'
import { type FaceCounts, packFaces } from './training/packed-faces.js'
import { runEpochs, type StopReason } from './training/run.js'

export interface TrainResult {
  /** The best epoch's, ready for use. */
  readonly model: Model
  /** Of the best epoch, on the validation faces, which also chose it: an unbiased figure needs a test split. */
  readonly metrics: Metrics
  readonly best: { readonly epoch: number; readonly accuracy: number; readonly path: string }
  /** Why it ended before its last epoch, if it did. */
  readonly stopped?: StopReason
}

/** A training run: await it for its result, iterate it for its events, or both. */
export interface TrainingRun extends Promise<TrainResult>, AsyncIterable<TrainEvent> {}

/**
 * Trains a network on a thread of its own; the event loop stays free. Nothing but the data, options, machine, build and
 * thread count decides the outcome: the same run gives the same weights to the bit.
 */
export function train(options: TrainOptions): TrainingRun {
  const events = new EventStream()
  const result = execute(options, events)
  // A run may be watched by its events alone: its failure then ends the iteration, and must not count as unhandled.
  result.then(
    () => events.end(),
    (error) => events.end(error),
  )
  return Object.assign(result, { [Symbol.asyncIterator]: () => events.read() })
}

async function execute(options: TrainOptions, events: EventStream): Promise<TrainResult> {
  const given = readTrainOptions(options)
  given.signal?.throwIfAborted()
  const faces = await listFaces(given)
  const spec = specFor(given, faces)
  // Before pictures are decoded, which may take minutes: it refuses what cannot be built.
  const network = await settled(native.createNetwork(spec, given.seed))
  const average = given.averaging > 0 ? await settled(native.createNetwork(spec, given.seed)) : undefined
  try {
    return await inOutput(given, async (output) => {
      const beginning = await begin({ given, faces, output, network, spec })
      const { settings, provenance } = beginning
      const packed = await packFaces(faces, settings)
      const info = { ...spec, provenance: { ...provenance, ...provenanceOfFaces(packed.counts) } }
      const run = { ...beginning, output, faces, packed, info, network, average, events }
      const { best, stopped } = await runEpochs(run)
      const { epoch, metrics } = best
      return {
        model: await Model.load(output.best),
        metrics,
        best: { epoch, accuracy: metrics.accuracy, path: output.best },
        ...(stopped ? { stopped } : {}),
      }
    })
  } finally {
    network.dispose()
    average?.dispose()
  }
}

/** How many were left once copies were left out. */
const provenanceOfFaces = ({ training, validation, copies, leaked }: FaceCounts) => ({
  trainingFaces: training,
  validationFaces: validation,
  copiesLeftOut: copies,
  leakedLeftOut: leaked,
})

async function inOutput<T>(
  { output: folder, resume }: TrainingSettings,
  work: (output: Output) => Promise<T>,
): Promise<T> {
  const output = await claimOutput(folder, resume)
  try {
    return await work(output)
  } finally {
    output.release()
  }
}

function specFor(
  settings: TrainingSettings,
  { classes, color }: TrainingFaces,
): Omit<ModelInfo, 'provenance'> {
  const { backbone, head, stem, imageSize, affinity } = settings
  const classCount = classes.length
  return { backbone, head, stem, imageSize, color, affinity, normalization: imageNet, classCount, classes }
}
