import { settled } from './calls.js'
import { FerError } from './errors.js'
import type { Metrics } from './metrics/index.js'
import { Model } from './model.js'
import { type NetworkSpec, native } from './native.js'
import { readTrainOptions, type TrainingSettings, type TrainOptions } from './options/training.js'
import {
  checkSameRun,
  digestOf,
  freshProgress,
  machineChanges,
  readCheckpoint,
} from './training/checkpoint.js'
import { EventStream, type TrainEvent } from './training/events.js'
import { listFaces, packFaces, type TrainingFaces } from './training/faces.js'
import { claimOutput, type Output } from './training/output.js'
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
  const given = readTrainOptions(options)
  given.signal?.throwIfAborted()
  const faces = await listFaces(given)
  const spec = specFor(given, faces)
  // Before pictures are decoded, which may take minutes: it refuses what cannot be built.
  const network = await settled(native.createNetwork(spec, given.seed))
  const output = await claimOutput(given.output, given.resume)
  try {
    const start = await beginning(options, given, faces, output)
    const { settings, provenance } = start
    const packed = await packFaces(faces, settings)
    const info = { ...spec, classes: faces.classes, provenance }
    const { epoch, metrics } = await runEpochs({ ...start, output, faces, packed, info, network, events })
    const model = await Model.load(output.best)
    return { model, metrics, best: { epoch, accuracy: metrics.accuracy, path: output.best } }
  } finally {
    network.dispose()
    output.release()
  }
}

function specFor(settings: TrainingSettings, { classes, color }: TrainingFaces): NetworkSpec {
  const { backbone, head, stem, imageSize, affinity } = settings
  return { backbone, head, stem, imageSize, color, affinity, normalization, classCount: classes.length }
}

/** Where the run begins: at its checkpoint, if it has one and is to be resumed, else at the first step. */
async function beginning(
  options: TrainOptions,
  given: TrainingSettings,
  faces: TrainingFaces,
  output: Output,
) {
  const digest = digestOf(faces)
  if (!given.resume || !output.begun) {
    const provenance = provenanceOf(given, faces)
    return {
      settings: given,
      provenance,
      progress: freshProgress(),
      digest,
      changed: [],
      pretrained: undefined,
    }
  }
  const checkpoint = await readCheckpoint(output.checkpoint)
  const settings = settingsOfResumed(options, given, checkpoint.provenance.options.epochs)
  checkSameRun(given.output, checkpoint, provenanceOf(settings, faces), digest)
  const { progress, provenance: begun } = checkpoint
  const provenance = { ...begun, options: { ...begun.options, epochs: given.epochs } }
  const changed = machineChanges(checkpoint)
  return {
    settings: { ...settings, epochs: given.epochs },
    provenance,
    progress,
    digest,
    changed,
    pretrained: undefined,
  }
}

/** Its epochs may grow; what was derived from their number, such as the warm-up, stays as it was. */
function settingsOfResumed(options: TrainOptions, given: TrainingSettings, epochs: number): TrainingSettings {
  if (given.epochs >= epochs) return readTrainOptions({ ...options, epochs })
  throw new FerError(
    'ERR_RESUME',
    `The run in \`${given.output}\` was begun with ${epochs} epochs, and \`epochs\`, now ${given.epochs}, may only grow. Give ${epochs} or more`,
  )
}
