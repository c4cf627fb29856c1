import { chosenPrecision } from '../../calls.js'
import type { Bench } from '../bench.js'
import { type Contender, compare, type Own } from '../contenders.js'
import type { StepSize } from '../effort.js'
import { type Learner, type Lesson, withLearners } from '../learner.js'
import { lessonFromFiles, lessonInMemory } from '../lessons.js'
import { trainingPrecisions } from '../precisions.js'
import { runProcess } from '../process.js'
import { memoryRow, type Row } from '../report.js'
import type { Suite } from '../suites.js'
import { type Form, forms, trainingContenders } from '../training-peers.js'

/**
 * Training steps. Ours are the whole of what `train` does between two epochs, on 8-bit pixels; PyTorch's are forward,
 * backward and optimizer, on floats that are normalised already.
 */
export const trainSuite: Suite = async (bench) => {
  const { large, small } = bench.effort.training
  return [
    ...(await compareSteps(bench, large, forms)),
    ...(await compareSteps(bench, small, ['tuned bfloat16', 'bfloat16, ARM as a product'])),
    ...(await compareSources(bench, large)),
    ...(await measurePeaks(bench, large.imageSize)),
  ]
}

/** What gave up accuracy is compared with what did not, but not the other way round. */
const sameCare = (precision: string, form: string): boolean =>
  precision !== 'float32' || form.endsWith('float32')

async function compareSteps(bench: Bench, size: StepSize, given: readonly Form[]): Promise<Row[]> {
  const measured = given.filter((form) => trainingPrecisions().some((precision) => sameCare(precision, form)))
  const contenders = await trainingContenders(bench, size, measured)
  const rows: Row[] = []
  for (const precision of trainingPrecisions()) {
    const fitting = contenders.filter(({ name }) => sameCare(precision, name))
    if (fitting.length > 0) rows.push(...(await compareStep(bench, size, precision, fitting)))
  }
  return rows
}

/** One trainer at a time: two have two teams of threads, which then all sleep between loops. */
async function compareStep(
  bench: Bench,
  size: StepSize,
  precision: Lesson['precision'],
  contenders: readonly Contender[],
): Promise<Row[]> {
  const name = `train, ${size.imageSize} pixels`
  return withLearners([lessonInMemory(size, precision)], ([learner]) =>
    compare(bench, stepsOf(bench, name, size), [ownOf(learner!, precision)], contenders),
  )
}

/** Files, decoded before, and every augmentation, against a batch that has neither. */
async function compareSources(bench: Bench, size: StepSize): Promise<Row[]> {
  const { subject, effort } = bench
  const files = await lessonFromFiles(size, precision, effort.training.batches, subject.folder)
  const name = 'train, JPEGs and every augmentation'
  return withLearners([files, lessonInMemory(size, precision)], ([ours, beside]) => {
    const { side } = ownOf(beside!, 'in memory')
    const version = 'the same step on one batch in memory'
    const contender = { name: 'one batch in memory', version, side }
    return compare(bench, stepsOf(bench, name, size), [ownOf(ours!, precision)], [contender])
  })
}

const precision = chosenPrecision('auto')

const ownOf = ({ run }: Learner, precision: string): Own => ({ precision, side: { name: precision, run } })

const stepsOf = ({ effort: { training } }: Bench, name: string, { batch }: StepSize) => ({
  name,
  batch,
  runs: training.steps,
  rounds: training.rounds,
})

/** Megabytes of a process that does nothing but train. */
async function measurePeaks({ effort, progress }: Bench, imageSize: number): Promise<Row[]> {
  const rows: Row[] = []
  for (const batch of effort.training.peaks) {
    const label = `train, memory, batch ${batch}`
    progress(label, 0, 1)
    const { told } = await runProcess<{ peak: number }>('training-memory', [
      String(imageSize),
      String(batch),
      precision,
    ])
    progress(label, 1, 1)
    rows.push(memoryRow({ name: 'train, peak resident memory', precision, batch }, [told.peak / 1e6]))
  }
  return rows
}
