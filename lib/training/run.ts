import { cancellable } from '../calls.js'
import { type Metrics, measure } from '../metrics/index.js'
import { inferenceFor, type ModelInfo, saveNetwork } from '../model.js'
import { type Network, native, type StepReport, type Trainer } from '../native.js'
import type { TrainingSettings } from '../options/training.js'
import type { EpochEvent, EventStream } from './events.js'
import type { PackedFaces, TrainingFaces } from './faces.js'
import { type Output, writeJson, writeLog } from './output.js'

/** Faces validated at once. */
const validationBatch = 64

/** What a run works with. */
export interface RunContext {
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
export async function runEpochs(run: RunContext): Promise<BestEpoch> {
  const { settings, faces, packed, network, output } = run
  const started = performance.now()
  const trainer = new native.Trainer(network, packed.training, faces.training.indices, settings)
  const log: EpochEvent[] = []
  let best: BestEpoch | undefined
  try {
    for (let epoch = 1; epoch <= settings.epochs; epoch++) {
      const event = await runEpoch(run, trainer, epoch, best)
      log.push(event)
      if (event.best) best = { epoch, metrics: event.validation }
      await writeLog(output.log, log)
      run.events.push(event)
    }
  } catch (error) {
    // Stopped between two steps: what was learned so far is kept.
    if (settings.signal?.aborted) await checkpoint(run, 'last', log.length + 1)
    throw error
  } finally {
    trainer.dispose()
  }
  const seconds = (performance.now() - started) / 1000
  await writeJson(output.metrics, { best, seconds, peakMemoryBytes: peakMemory(), ...run.info })
  return best!
}

async function runEpoch(
  run: RunContext,
  trainer: Trainer,
  epoch: number,
  best: BestEpoch | undefined,
): Promise<EpochEvent> {
  const started = performance.now()
  const trained = await trainEpoch(run, trainer, epoch)
  const validation = await validate(run, trainer)
  const isBest = isBetter(validation, best?.metrics)
  if (isBest) await checkpoint(run, 'best', epoch, validation)
  await checkpoint(run, 'last', epoch, validation)
  const seconds = (performance.now() - started) / 1000
  const { epochs } = run.settings
  return {
    type: 'epoch',
    epoch,
    epochs,
    ...trained,
    validation,
    best: isBest,
    seconds,
    peakMemoryBytes: peakMemory(),
  }
}

async function trainEpoch(
  { settings, events }: RunContext,
  trainer: Trainer,
  epoch: number,
): Promise<{ loss: number; imagesPerSecond: number }> {
  const perEpoch = trainer.stepsPerEpoch
  const started = performance.now()
  let losses = 0
  let count = 0
  const speed = () => (count * trainer.batchSize * 1000) / (performance.now() - started)
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

async function validate({ settings, faces, packed, info }: RunContext, trainer: Trainer): Promise<Metrics> {
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
  run: RunContext,
  kind: 'best' | 'last',
  epoch: number,
  metrics?: Metrics,
): Promise<void> {
  const { network, info, output, events } = run
  const { accuracy, nll } = metrics ?? {}
  // An epoch that was not validated was cut short.
  const provenance = {
    ...info.provenance,
    epoch,
    complete: metrics !== undefined,
    validation: { accuracy, nll },
  }
  await saveNetwork(network, { ...info, provenance }, output[kind], 'float32')
  events.push({ type: 'checkpoint', kind, epoch, path: output[kind] })
}

const peakMemory = (): number => process.resourceUsage().maxRSS * 1024
