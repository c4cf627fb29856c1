import { basename, resolve } from 'node:path'
import { cancellable } from '../calls.js'
import type { Sample } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import { writeAtomically } from '../files.js'
import { measure } from '../metrics/index.js'
import { tempered } from '../metrics/temperature.js'
import { inferenceFor } from '../model/inference.js'
import { Model } from '../model.js'
import type { Answers, Mistake, RunFacts } from '../report/run/facts.js'
import { machine } from './checkpoint.js'
import type { RunContext, RunEnd } from './run.js'

/** Wrong answers that are shown with their pictures. */
const mostMistakes = 24
/** Faces answered at once. */
const batchSize = 64

/**
 * Writes the page about a run that has ended. The best model is read back and answers the validation faces once more: a
 * run that was resumed remembers no logits. ERR_OUTPUT, whatever goes wrong: by then all else is written.
 */
export async function writeReport(run: RunContext, end: RunEnd, peakMemoryBytes: number): Promise<void> {
  const { output, settings } = run
  try {
    // Only now: the page and its charts are of no use to those who do not train.
    const { renderRun } = await import('../report/run/page.js')
    await writeAtomically(output.report, renderRun(await factsOf(run, end, peakMemoryBytes)))
  } catch (error) {
    settings.signal?.throwIfAborted()
    throw reportFailed(output.report, error)
  }
}

const reportFailed = (path: string, error: unknown): FerError =>
  new FerError(
    'ERR_OUTPUT',
    `The run has ended and is saved, but its report \`${path}\` could not be written: ${(error as Error).message}. The same call with \`resume\` writes it`,
    { cause: error },
  )

const reasons = { patience: 'no better model came', maxMinutes: 'the time was over' } as const

async function factsOf(
  run: RunContext,
  { best, stopped }: RunEnd,
  peakMemoryBytes: number,
): Promise<RunFacts> {
  const { output, settings, progress, faces, info } = run
  await using model = await Model.load(output.best)
  const { temperature = 1 } = model.info
  const raw = await answersOf(run, model)
  const answers = { ...raw, logits: tempered(raw.logits, temperature) }
  const measured = ({ logits, labels }: Answers) => measure(logits, labels, info.classes)
  return {
    name: basename(resolve(settings.output)),
    ended: new Date(),
    stopped: stopped && reasons[stopped],
    epochs: progress.log,
    plannedEpochs: settings.epochs,
    best: {
      epoch: best.epoch,
      weights: model.info.provenance.weights === 'averaged' ? 'averaged' : 'trained',
      metrics: measured(answers),
    },
    answers,
    ...(temperature === 1 ? {} : { uncalibrated: { temperature, ...measured(raw) } }),
    mistakes: await mistakesOf(run, answers),
    provenance: info.provenance,
    notes: [...new Set([...faces.training, ...faces.validation].flatMap(({ split }) => split.notes ?? []))],
    machine: { ...machine(settings.device) },
    seconds: progress.seconds,
    peakMemoryBytes,
  }
}

/** Computed as they were when the epoch was validated. */
async function answersOf({ packed, settings }: RunContext, model: Model): Promise<Answers> {
  const { precision, device, signal } = settings
  const inference = inferenceFor(model.info, {
    precision,
    device,
    signal,
    batchSize,
    affinity: undefined,
    flip: false,
  })
  const network = Model.borrow(model)
  try {
    const logits: number[] = []
    for (const { images, indices } of packed.validation) {
      const answers = await cancellable(signal, (cancellation) =>
        network.evaluate(images, indices, inference, cancellation, () => {}),
      )
      for (const logit of answers.data) logits.push(logit)
    }
    const labels = packed.validation.flatMap((share) => [...share.labels])
    return { logits: Float32Array.from(logits), labels, classCount: model.info.classes.length }
  } finally {
    network.dispose()
  }
}

async function mistakesOf({ faces, packed, info }: RunContext, answers: Answers): Promise<Mistake[]> {
  const { worstMistakes } = await import('../report/run/mistakes.js')
  const samples = packed.validation.flatMap(({ indices }, set) =>
    indices.map((index) => faces.validation[set]!.split.samples[index]!),
  )
  return Promise.all(
    worstMistakes(answers, mostMistakes).map(async ({ face, answer, confidence }) => ({
      name: samples[face]!.name,
      truth: info.classes[answers.labels[face]!]!,
      answer: info.classes[answer]!,
      confidence,
      picture: await pictureOf(samples[face]!),
    })),
  )
}

/** Undefined where the file has gone since, which is no reason to do without the page. */
async function pictureOf(sample: Sample): Promise<string | undefined> {
  const { thumbnail } = await import('../report/run/thumbnail.js')
  try {
    return await thumbnail(await sample.read())
  } catch {
    return undefined
  }
}
