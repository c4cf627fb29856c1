import type {
  EpochEvent,
  PackProgress,
  PretrainedReport,
  StartEvent,
  StepEvent,
  TrainEvent,
  TrainingRun,
  TrainResult,
} from '../index.js'
import { Interrupted, interruptible } from './interrupt.js'
import { Progress } from './progress.js'
import { percent } from './table.js'

/** What a command puts into the options of the run that it follows. */
export interface TrainingHooks {
  readonly signal: AbortSignal
  readonly onPack: (progress: PackProgress) => void
}

/** Shows a run on stderr until it ends. Ctrl-C stops it: it then rejects with Interrupted, which says where. */
export function followTraining(start: (hooks: TrainingHooks) => TrainingRun): Promise<TrainResult> {
  return interruptible(async (signal) => {
    const progress = new Progress()
    const place = new Place()
    try {
      const run = start({ signal, onPack: (packed) => progress.packing(packed) })
      for await (const event of run) {
        place.follow(event)
        show(event, progress)
      }
      return await run
    } catch (error) {
      throw error === signal.reason ? new Interrupted(`stopped ${place}`) : error
    } finally {
      progress.end()
    }
  })
}

function show(event: TrainEvent, progress: Progress): void {
  if (event.type === 'start') for (const line of describeStart(event)) progress.line(line)
  if (event.type === 'step') progress.bar('training', event.step, event.steps, describeStep(event))
  if (event.type === 'epoch') progress.line(describeEpoch(event))
}

function describeStart(event: StartEvent): string[] {
  return [
    ...describeResuming(event),
    describeFaces(event),
    ...event.notes,
    ...(event.pretrained ? [describePretrained(event.pretrained)] : []),
  ]
}

function describeFaces({ faces }: StartEvent): string {
  const { training, validation, copies, leaked } = faces
  const without = (count: number, what: string) => (count > 0 ? ` (without ${count} ${what})` : '')
  return `${training} faces to train on${without(copies, 'exact copies')}, ${validation} to validate on${without(leaked, 'that are also trained on')}`
}

function describePretrained({ path, taken, fresh, unused }: PretrainedReport): string {
  const list = (title: string, names: readonly string[]) =>
    names.length > 0 ? `; ${title}: ${names.join(', ')}` : ''
  return `${taken} tensors taken from ${path}${list('begin fresh', fresh)}${list('not used', unused)}`
}

function describeResuming({ step, steps, epoch, epochs, resumed, changed }: StartEvent): string[] {
  if (resumed === undefined) return []
  if (!resumed) return ['there is no checkpoint yet: starting from the beginning']
  const place = `resuming after step ${step} of ${steps}, in epoch ${epoch} of ${epochs}`
  const warning = `the result may differ in its last digits from that of an unbroken run: ${changed.join('; ')}`
  return changed.length > 0 ? [place, warning] : [place]
}

const describeStep = ({ step, steps, loss, imagesPerSecond }: StepEvent): string =>
  `step ${step}/${steps}, loss ${loss.toFixed(3)}, ${imagesPerSecond.toFixed(0)} images/s`

function describeEpoch(event: EpochEvent): string {
  const { epoch, epochs, loss, validation, averaged, best, imagesPerSecond, seconds } = event
  const parts = [
    `loss ${loss.toFixed(3)}`,
    `validation accuracy ${percent(validation.accuracy)}`,
    ...(averaged ? [`of the average ${percent(averaged.accuracy)}`] : []),
    `${imagesPerSecond.toFixed(0)} images/s`,
    `${seconds.toFixed(0)} s`,
  ]
  return `epoch ${epoch}/${epochs}: ${parts.join(', ')}${best ? ' (best so far)' : ''}`
}

/** Where a run is. */
class Place {
  #step: StepEvent | undefined
  #last: string | undefined
  #begun = false

  follow(event: TrainEvent): void {
    if (event.type === 'step') this.#step = event
    if (event.type !== 'checkpoint') return
    if (event.kind === 'last') this.#last = event.path
    if (event.kind === 'resume') this.#begun = true
  }

  toString(): string {
    const resume = this.#begun ? '; the same command with --resume goes on from there' : ''
    const kept = this.#last ? `${resume}; the weights so far are in ${this.#last}` : resume
    if (!this.#step) return `before the first step of training${kept}`
    const { step, steps, epoch } = this.#step
    return `at step ${step} of ${steps}, in epoch ${epoch}${kept}`
  }
}
