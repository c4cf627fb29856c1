import { settled } from './calls.js'
import type { Metrics } from './metrics/index.js'
import { Model, type ModelInfo } from './model.js'
import { native } from './native.js'
import { readTrainOptions, type TrainingSettings, type TrainOptions } from './options/training.js'
import { EventStream, type TrainEvent } from './training/events.js'
import { listFaces, packFaces, type TrainingFaces } from './training/faces.js'
import { claimOutput, releaseOutput } from './training/output.js'
import { provenanceOf } from './training/provenance.js'
import { runEpochs } from './training/run.js'

export interface TrainResult {
  /** The best epoch's, ready for use. */
  readonly model: Model
  /** Of the best epoch, on the validation faces, which also chose it: an unbiased figure needs a test split. */
  readonly metrics: Metrics
  readonly best: { readonly epoch: number; readonly accuracy: number; readonly path: string }
}

/** A training run: await it for its result, iterate it for its events, or both. */
export interface TrainingRun extends Promise<TrainResult>, AsyncIterable<TrainEvent> {}

/** ImageNet's, as fractions of full brightness: what weights from elsewhere expect. */
const normalization = { mean: [0.485, 0.456, 0.406], deviation: [0.229, 0.224, 0.225] } as const

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
  const settings = readTrainOptions(options)
  settings.signal?.throwIfAborted()
  const faces = await listFaces(settings)
  const info = infoFor(settings, faces)
  // Before pictures are decoded, which may take minutes: it refuses what cannot be built.
  const network = await settled(native.createNetwork(info, settings.seed))
  const output = await claimOutput(settings.output)
  try {
    const packed = await packFaces(faces, settings)
    const { epoch, metrics } = await runEpochs({ settings, output, faces, packed, info, network, events })
    const model = await Model.load(output.best)
    return { model, metrics, best: { epoch, accuracy: metrics.accuracy, path: output.best } }
  } finally {
    network.dispose()
    await releaseOutput(output)
  }
}

function infoFor(settings: TrainingSettings, faces: TrainingFaces): ModelInfo {
  const { backbone, head, stem, imageSize, affinity } = settings
  const { classes, color } = faces
  const spec = { backbone, head, stem, imageSize, color, affinity, normalization, classCount: classes.length }
  return { ...spec, classes, provenance: provenanceOf(settings, faces) }
}
