import { cancellable } from '../calls.js'
import { FerError } from '../errors.js'
import { type Metrics, measure } from '../metrics/index.js'
import { inferenceFor } from '../model/inference.js'
import type { ModelInfo } from '../model/info.js'
import { saveNetwork } from '../model/save.js'
import { type Network, native, type StepReport, type Trainer } from '../native.js'
import type { Beginning } from './beginning.js'
import { checkPlace, machine, restore, writeCheckpoint } from './checkpoint.js'
import type { CheckpointEvent, EpochEvent, EventStream } from './events.js'
import type { PackedFaces, TrainingFaces } from './faces.js'
import { type Output, writeJson, writeLog } from './output.js'

/** Faces validated at once. */
const validationBatch = 64

/** What a run works with. */
export interface RunContext extends Beginning {
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
 * The epochs of a run: native code does what happens within one, this decides what happens between them.
 *
 * A checkpoint is written at the end of each epoch's training, before the model is validated and saved as `last` and,
 * where its validation accuracy is the highest so far, as `best`. So a run killed at any instant goes on from a
 * checkpoint, and writes again whatever it may have missed to write.
 */
export async function runEpochs(run: RunContext): Promise<BestEpoch> {
  const { settings, faces, packed, network, output, progress } = run
  const trainer = new native.Trainer(network, packed.training, faces.training.indices, settings)
  try {
    checkPlace(progress, trainer.stepsPerEpoch, output.checkpoint)
    if (progress.step > 0) await restore(trainer, output.checkpoint, progress.step)
    announce(run, trainer)
    await runToEnd(run, trainer)
  } finally {
    trainer.dispose()
  }
  const best = bestOf(progress.log)!
  const { seconds } = progress
  await writeJson(output.metrics, { best, seconds, peakMemoryBytes: peakMemory(), ...run.info })
  return best
}

async function runToEnd(run: RunContext, trainer: Trainer): Promise<void> {
  const { settings, progress } = run
  try {
    while (progress.log.length < settings.epochs) await runEpoch(run, trainer)
  } catch (error) {
    // Stopped between two steps: what was learned so far is kept.
    if (settings.signal?.aborted && progress.step > 0) await keepUnfinished(run, trainer)
    throw error
  }
}

function announce(run: RunContext, trainer: Trainer): void {
  const { settings, progress, changed, pretrained } = run
  const { epochs, resume } = settings
  run.events.push({
    type: 'start',
    step: progress.step,
    steps: epochs * trainer.stepsPerEpoch,
    epoch: Math.min(progress.log.length + 1, epochs),
    epochs,
    changed,
    ...(resume ? { resumed: progress.step > 0 } : {}),
    ...(pretrained ? { pretrained } : {}),
  })
}

async function runEpoch(run: RunContext, trainer: Trainer): Promise<void> {
  const { progress, output, events } = run
  await trainEpoch(run, trainer)
  await keepProgress(run, trainer)
  const started = performance.now()
  const epoch = progress.log.length + 1
  const validation = await validate(run, trainer)
  const best = isBetter(validation, bestOf(progress.log)?.metrics)
  if (best) await saveModel(run, 'best', epoch, validation)
  await saveModel(run, 'last', epoch, validation)
  const { loss, steps, seconds } = progress.epoch
  const tested = secondsSince(started)
  const event: EpochEvent = {
    type: 'epoch',
    epoch,
    epochs: run.settings.epochs,
    loss: loss / steps,
    imagesPerSecond: (steps * trainer.batchSize) / seconds,
    validation,
    best,
    seconds: seconds + tested,
    peakMemoryBytes: peakMemory(),
  }
  progress.log.push(event)
  progress.epoch = { loss: 0, steps: 0, seconds: 0 }
  progress.seconds += tested
  await writeLog(output.log, progress.log)
  events.push(event)
}

/** Trains to the end of the epoch that has begun, with a checkpoint now and then. */
async function trainEpoch(run: RunContext, trainer: Trainer): Promise<void> {
  const { settings, progress } = run
  const last = (progress.log.length + 1) * trainer.stepsPerEpoch
  while (progress.step < last) {
    const [before, started] = [progress.epoch.seconds, performance.now()]
    const onStep = (report: StepReport) => {
      progress.epoch.seconds = before + secondsSince(started)
      follow(run, trainer, report)
    }
    try {
      await cancellable(settings.signal, (cancellation) =>
        trainer.run(last, settings.checkpointMinutes * 60_000, cancellation, onStep),
      )
    } finally {
      progress.seconds += progress.epoch.seconds - before
    }
    if (progress.step < last) await keepProgress(run, trainer)
  }
}

function follow({ settings, progress, events }: RunContext, trainer: Trainer, report: StepReport): void {
  const { epoch } = progress
  progress.step = report.step
  epoch.loss += report.loss
  epoch.steps++
  events.push({
    type: 'step',
    ...report,
    steps: settings.epochs * trainer.stepsPerEpoch,
    epoch: progress.log.length + 1,
    imagesPerSecond: (epoch.steps * trainer.batchSize) / epoch.seconds,
  })
}

async function validate(
  { settings, faces, packed, info, progress }: RunContext,
  trainer: Trainer,
): Promise<Metrics> {
  const { indices, labels } = faces.validation
  const { precision, signal } = settings
  const inference = inferenceFor(info, { precision, signal, affinity: undefined, batchSize: validationBatch })
  const logits = await cancellable(signal, (cancellation) =>
    trainer.evaluate(packed.validation, indices, inference, cancellation),
  )
  if (!logits.data.every(Number.isFinite)) throw diverged(progress.step)
  const chosen = Int32Array.from(indices, (index) => labels[index]!)
  return measure(logits.data, chosen, info.classes)
}

const diverged = (step: number): FerError =>
  new FerError(
    'ERR_DIVERGED',
    `After step ${step} the network's answers are no longer finite numbers. Most often the steps are too large: lower \`learningRate\`, lengthen \`warmupEpochs\`, or clip gradients with \`clipNorm\``,
  )

function bestOf(log: readonly EpochEvent[]): BestEpoch | undefined {
  const event = log.findLast((event) => event.best)
  return event && { epoch: event.epoch, metrics: event.validation }
}

/** By accuracy; of two alike, the more certain of the truth. */
function isBetter(metrics: Metrics, best: Metrics | undefined): boolean {
  if (!best || metrics.accuracy !== best.accuracy) return metrics.accuracy > (best?.accuracy ?? -1)
  return metrics.nll < best.nll
}

async function keepUnfinished(run: RunContext, trainer: Trainer): Promise<void> {
  await keepProgress(run, trainer)
  // At the end of an epoch `last` is that of the epoch already.
  if (run.progress.epoch.steps > 0) await saveModel(run, 'last', run.progress.log.length + 1)
}

async function keepProgress(run: RunContext, trainer: Trainer): Promise<void> {
  const { output, progress, digest, provenance } = run
  const checkpoint = { progress, provenance, faces: digest, machine: machine() }
  await writeCheckpoint(trainer, output.checkpoint, checkpoint)
  announceFile(run, 'resume', progress.log.length + 1, output.checkpoint)
}

async function saveModel(
  run: RunContext,
  kind: 'best' | 'last',
  epoch: number,
  metrics?: Metrics,
): Promise<void> {
  const { network, info, output } = run
  const { accuracy, nll } = metrics ?? {}
  // An epoch that was not validated was cut short.
  const provenance = {
    ...info.provenance,
    epoch,
    complete: metrics !== undefined,
    validation: { accuracy, nll },
  }
  await saveNetwork(network, { ...info, provenance }, output[kind], 'float32')
  announceFile(run, kind, epoch, output[kind])
}

function announceFile(
  { events }: RunContext,
  kind: CheckpointEvent['kind'],
  epoch: number,
  path: string,
): void {
  events.push({ type: 'checkpoint', kind, epoch, path })
}

const secondsSince = (started: number): number => (performance.now() - started) / 1000

const peakMemory = (): number => process.resourceUsage().maxRSS * 1024
