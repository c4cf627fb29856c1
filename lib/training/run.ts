import { type Metrics, measure } from '../metrics/index.js'
import { inferenceFor, type ModelInfo, saveNetwork } from '../model.js'
import { cancellable, type Network, native, type StepReport, type Trainer } from '../native.js'
import type { TrainingSettings } from '../options/training.js'
import type { EpochEvent, EventStream } from './events.js'
import type { PackedFaces, TrainingFaces } from './faces.js'
import { appendLog, type Output, writeJson } from './output.js'

/** Faces validated at once. */
const validationBatch = 64

/** What a run works with. */
export interface Workshop {
  readonly settings: TrainingSettings
  readonly output: Output
  readonly faces: TrainingFaces
  readonly packed: PackedFaces
  readonly info: ModelInfo
  readonly network: Network
  readonly events: EventStream
}

export interface BestEpoch {
  readonly epoch: number
  readonly metrics: Metrics
}

/**
 * The epochs of a run: native code does what happens within one, this decides what happens between them. After each
 * the model is validated, and saved as `last`, and as `best` where its validation accuracy is the highest so far.
 */
export async function runEpochs(workshop: Workshop): Promise<BestEpoch> {
  const { settings, faces, packed, network, output } = workshop
  const started = performance.now()
  const trainer = new native.Trainer(network, packed.training, faces.training.indices, settings)
  let best: BestEpoch | undefined
  let epoch = 1
  try {
    for (; epoch <= settings.epochs; epoch++) best = await runEpoch(workshop, trainer, epoch, best)
  } catch (error) {
    // Stopped between two steps: what was learned so far is kept.
    if (settings.signal?.aborted) await checkpoint(workshop, 'last', epoch)
    throw error
  }
  const seconds = (performance.now() - started) / 1000
  await writeJson(output.metrics, { best, seconds, peakMemoryBytes: peakMemory(), ...workshop.info })
  return best!
}

async function runEpoch(
  workshop: Workshop,
  trainer: Trainer,
  epoch: number,
  best: BestEpoch | undefined,
): Promise<BestEpoch> {
  const { settings, events, output } = workshop
  const started = performance.now()
  const trained = await trainEpoch(workshop, trainer, epoch)
  const metrics = await validate(workshop, trainer)
  const isBest = isBetter(metrics, best?.metrics)
  if (isBest) await checkpoint(workshop, 'best', epoch, metrics)
  await checkpoint(workshop, 'last', epoch, metrics)
  const event: EpochEvent = {
    type: 'epoch',
    epoch,
    epochs: settings.epochs,
    ...trained,
    validation: metrics,
    best: isBest,
    seconds: (performance.now() - started) / 1000,
    peakMemoryBytes: peakMemory(),
  }
  await appendLog(output.log, event)
  events.push(event)
  return isBest || !best ? { epoch, metrics } : best
}

async function trainEpoch(
  { settings, events }: Workshop,
  trainer: Trainer,
  epoch: number,
): Promise<{ loss: number; imagesPerSecond: number }> {
  const perEpoch = trainer.stepsPerEpoch
  const started = performance.now()
  let losses = 0
  let count = 0
  const speed = () => (count * settings.batchSize * 1000) / (performance.now() - started)
  const onStep = (report: StepReport) => {
    count++
    losses += report.loss
    events.push({
      type: 'step',
      ...report,
      steps: settings.epochs * perEpoch,
      epoch,
      imagesPerSecond: speed(),
    })
  }
  await cancellable(settings.signal, (cancellation) => trainer.run(epoch * perEpoch, cancellation, onStep))
  return { loss: losses / count, imagesPerSecond: speed() }
}

async function validate({ settings, faces, packed, info }: Workshop, trainer: Trainer): Promise<Metrics> {
  const { indices, labels } = faces.validation
  const { precision, signal } = settings
  const inference = inferenceFor(info, { precision, signal, affinity: undefined, batchSize: validationBatch })
  const logits = await cancellable(signal, (cancellation) =>
    trainer.evaluate(packed.validation, indices, inference, cancellation),
  )
  const chosen = Int32Array.from(indices, (index) => labels[index]!)
  return measure(logits.data, chosen, info.classes)
}

/** By accuracy; of two alike, the more certain of the truth. */
function isBetter(metrics: Metrics, best: Metrics | undefined): boolean {
  if (!best || metrics.accuracy !== best.accuracy) return metrics.accuracy > (best?.accuracy ?? -1)
  return metrics.nll < best.nll
}

async function checkpoint(
  workshop: Workshop,
  kind: 'best' | 'last',
  epoch: number,
  metrics?: Metrics,
): Promise<void> {
  const { network, info, output, events } = workshop
  const { accuracy, nll } = metrics ?? {}
  const provenance = { ...info.provenance, epoch, validation: { accuracy, nll } }
  await saveNetwork(network, { ...info, provenance }, output[kind], 'float32')
  events.push({ type: 'checkpoint', kind, epoch, path: output[kind] })
}

const peakMemory = (): number => process.resourceUsage().maxRSS * 1024
