import { cancellable } from '../calls.js'
import { FerError } from '../errors.js'
import { isBetter } from '../metrics/better.js'
import { type Metrics, measure } from '../metrics/index.js'
import { type Calibration, calibration } from '../metrics/temperature.js'
import { inferenceFor } from '../model/inference.js'
import type { ModelInfo } from '../model/info.js'
import { saveNetwork } from '../model/save.js'
import { type NativeTraining, type Network, native, type StepReport, type Trainer } from '../native.js'
import type { Beginning } from './beginning.js'
import { checkPlace, machine, restore, writeCheckpoint } from './checkpoint.js'
import { balancedWeights } from './class-weights.js'
import type { CheckpointEvent, EpochEvent, EventStream } from './events.js'
import type { TrainingFaces } from './faces.js'
import { nativeSettings } from './native-settings.js'
import { type Output, writeJson, writeLog } from './output.js'
import type { PackedFaces } from './packed-faces.js'
import { writeReport } from './report.js'

/** Faces validated at once. */
const validationBatch = 64

/** What a run works with. */
export interface RunContext extends Beginning {
  readonly output: Output
  readonly faces: TrainingFaces
  readonly packed: PackedFaces
  readonly info: ModelInfo
  readonly network: Network
  /** Takes the running average of the weights, where one is kept. */
  readonly average: Network | undefined
  readonly events: EventStream
}

export interface BestEpoch {
  readonly epoch: number
  readonly metrics: Metrics
}

/** `patience`: no better model came for long; `maxMinutes`: the next epoch would not have ended in time. */
export type StopReason = 'patience' | 'maxMinutes'

export interface RunEnd {
  readonly best: BestEpoch
  readonly stopped?: StopReason
}

/**
 * The epochs of a run: native code does what happens within one, this decides what happens between them.
 *
 * A checkpoint is written at the end of each epoch's training, before the model is validated and saved as `last` and,
 * where its validation accuracy is the highest so far, as `best`. So a run killed at any instant goes on from a
 * checkpoint, and writes again whatever it may have missed to write.
 */
export async function runEpochs(run: RunContext): Promise<RunEnd> {
  const { packed, network, output, progress } = run
  const trainer = new native.Trainer(network, packed.training, nativeOptions(run))
  let stopped: StopReason | undefined
  try {
    checkPlace(progress, trainer.stepsPerEpoch, output.checkpoint)
    if (progress.step > 0) await restore(trainer, output.checkpoint, progress.step)
    announce(run, trainer)
    stopped = await runToEnd(run, trainer)
  } finally {
    trainer.dispose()
  }
  const best = bestOf(progress.log)!
  const { seconds } = progress
  const peakMemoryBytes = peakMemory()
  await writeJson(output.metrics, { best, seconds, peakMemoryBytes, ...run.info })
  const end = { best, ...(stopped ? { stopped } : {}) }
  await writeReport(run, end, peakMemoryBytes)
  return end
}

function nativeOptions({ settings, faces, packed }: RunContext): NativeTraining {
  const { classBalance } = settings
  return classBalance === 0
    ? nativeSettings(settings)
    : nativeSettings(settings, balancedWeights(faces, packed.training, classBalance))
}

async function runToEnd(run: RunContext, trainer: Trainer): Promise<StopReason | undefined> {
  const { settings, progress } = run
  const started = performance.now()
  // Of the epochs begun in this call: what is left of one that was begun before says nothing of the next.
  const begun = { epochs: 0, seconds: 0 }
  try {
    while (progress.log.length < settings.epochs) {
      const reason = reasonToStop(run, secondsSince(started), begun)
      if (reason) return reason
      const [isFresh, from] = [progress.epoch.steps === 0, performance.now()]
      await runEpoch(run, trainer)
      if (isFresh) begun.epochs++
      if (isFresh) begun.seconds += secondsSince(from)
    }
    return undefined
  } catch (error) {
    // Stopped between two steps: what was learned so far is kept.
    if (settings.signal?.aborted && progress.step > 0) await keepUnfinished(run, trainer)
    throw error
  }
}

function reasonToStop(
  { settings, progress }: RunContext,
  seconds: number,
  begun: { readonly epochs: number; readonly seconds: number },
): StopReason | undefined {
  const { patience, maxMinutes } = settings
  const sinceBest = progress.log.length - (bestOf(progress.log)?.epoch ?? 0)
  if (patience > 0 && progress.log.length > 0 && sinceBest >= patience) return 'patience'
  const expected = begun.epochs === 0 ? 0 : seconds + begun.seconds / begun.epochs
  return maxMinutes > 0 && expected > maxMinutes * 60 ? 'maxMinutes' : undefined
}

function announce(run: RunContext, trainer: Trainer): void {
  const { settings, progress, changed, pretrained, packed, faces } = run
  const { epochs, resume } = settings
  run.events.push({
    type: 'start',
    faces: packed.counts,
    notes: [...new Set([...faces.training, ...faces.validation].flatMap(({ split }) => split.notes ?? []))],
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
  const learningRate = await trainEpoch(run, trainer)
  await keepProgress(run, trainer)
  const started = performance.now()
  const epoch = progress.log.length + 1
  const trained = await validate(run, trainer, run.network)
  const averaged = run.average && (await validateAverage(run, trainer, run.average))
  const model =
    averaged && isBetter(averaged.metrics, trained.metrics)
      ? averagedModel(run, averaged)
      : trainedModel(run, trained)
  const best = isBetter(model.validated.metrics, bestOf(progress.log)?.metrics)
  if (best) await saveModel(run, 'best', epoch, model)
  await saveModel(run, 'last', epoch, model)
  const { loss, steps, seconds } = progress.epoch
  const tested = secondsSince(started)
  const event: EpochEvent = {
    type: 'epoch',
    epoch,
    epochs: run.settings.epochs,
    loss: loss / steps,
    ...(learningRate === undefined ? {} : { learningRate }),
    imagesPerSecond: (steps * trainer.batchSize) / seconds,
    validation: trained.metrics,
    ...(averaged ? { averaged: averaged.metrics } : {}),
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

/** Trains to the end of the epoch that has begun, with a checkpoint now and then; the learning rate of its last step. */
async function trainEpoch(run: RunContext, trainer: Trainer): Promise<number | undefined> {
  const { settings, progress } = run
  const last = (progress.log.length + 1) * trainer.stepsPerEpoch
  let learningRate: number | undefined
  while (progress.step < last) {
    const [before, started] = [progress.epoch.seconds, performance.now()]
    const onStep = (report: StepReport) => {
      progress.epoch.seconds = before + secondsSince(started)
      follow(run, trainer, report)
      learningRate = report.learningRate
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
  return learningRate
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

/** What a network reaches on the validation faces: as it is, and with the temperature that fits them best. */
interface Validated {
  readonly metrics: Metrics
  readonly calibration: Calibration
}

async function validateAverage(run: RunContext, trainer: Trainer, average: Network): Promise<Validated> {
  await cancellable(run.settings.signal, (cancellation) => trainer.averageInto(average, cancellation))
  return validate(run, trainer, average)
}

async function validate(
  { settings, packed, info, progress }: RunContext,
  trainer: Trainer,
  network: Network,
): Promise<Validated> {
  const { precision, device, signal } = settings
  const plain = { affinity: undefined, flip: false, batchSize: validationBatch }
  const inference = inferenceFor(info, { ...plain, precision, device, signal })
  const logits: number[] = []
  for (const { images, indices } of packed.validation) {
    const answers = await cancellable(signal, (cancellation) =>
      trainer.evaluate(network, images, indices, inference, cancellation),
    )
    for (const logit of answers.data) logits.push(logit)
  }
  if (!logits.every(Number.isFinite)) throw diverged(progress.step)
  const labels = packed.validation.flatMap((share) => [...share.labels])
  const answers = Float32Array.from(logits)
  return {
    metrics: measure(answers, labels, info.classes),
    calibration: calibration(answers, labels, info.classCount),
  }
}

/** What may be saved as the model of an epoch. */
interface EpochModel {
  readonly network: Network
  readonly weights: 'trained' | 'averaged'
  /** Undefined where the epoch was cut short. */
  readonly validated: Validated | undefined
}

const trainedModel = <V extends Validated | undefined>({ network }: RunContext, validated: V) =>
  ({ network, weights: 'trained', validated }) as const
const averagedModel = ({ average }: RunContext, validated: Validated) =>
  ({ network: average!, weights: 'averaged', validated }) as const

const diverged = (step: number): FerError =>
  new FerError(
    'ERR_DIVERGED',
    `After step ${step} the network's answers are no longer finite numbers. Most often the steps are too large: lower \`learningRate\`, lengthen \`warmupEpochs\`, or clip gradients with \`clipNorm\``,
  )

function bestOf(log: readonly EpochEvent[]): BestEpoch | undefined {
  const event = log.findLast((event) => event.best)
  if (!event) return undefined
  const { epoch, validation, averaged } = event
  return { epoch, metrics: averaged && isBetter(averaged, validation) ? averaged : validation }
}

async function keepUnfinished(run: RunContext, trainer: Trainer): Promise<void> {
  await keepProgress(run, trainer)
  // At the end of an epoch `last` is that of the epoch already.
  if (run.progress.epoch.steps > 0)
    await saveModel(run, 'last', run.progress.log.length + 1, trainedModel(run, undefined))
}

async function keepProgress(run: RunContext, trainer: Trainer): Promise<void> {
  const { output, progress, digest, provenance } = run
  const checkpoint = { progress, provenance, faces: digest, machine: machine(run.settings.device) }
  await writeCheckpoint(trainer, output.checkpoint, checkpoint)
  announceFile(run, 'resume', progress.log.length + 1, output.checkpoint)
}

async function saveModel(
  run: RunContext,
  kind: 'best' | 'last',
  epoch: number,
  { network, weights, validated }: EpochModel,
): Promise<void> {
  const { info, output } = run
  const { metrics, calibration } = validated ?? {}
  // An epoch that was not validated was cut short.
  const provenance = {
    ...info.provenance,
    epoch,
    weights,
    complete: validated !== undefined,
    validation: {
      accuracy: metrics?.accuracy,
      nll: metrics?.nll,
      ece: metrics?.ece,
      temperature: calibration?.temperature,
      calibratedNll: calibration?.nll,
      calibratedEce: calibration?.ece,
    },
  }
  const calibrated = calibration ? { temperature: calibration.temperature } : {}
  await saveNetwork(network, { ...info, ...calibrated, provenance }, output[kind], 'float32')
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
