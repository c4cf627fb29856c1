import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import {
  type EpochEvent,
  Model,
  type TrainEvent,
  type TrainingRun,
  type TrainOptions,
  train,
} from '../../lib/index.js'

/** All that a run tells, to its end. */
export async function eventsIn(run: TrainingRun): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of run) events.push(event)
  return events
}

export const eventsOf = (options: TrainOptions): Promise<TrainEvent[]> => eventsIn(train(options))

export const epochsOf = (events: readonly TrainEvent[]): EpochEvent[] =>
  events.filter((event) => event.type === 'epoch')

/** Trains until an event has come, then aborts. */
export async function stopAt(options: TrainOptions, isPlace: (event: TrainEvent) => boolean): Promise<void> {
  const controller = new AbortController()
  try {
    for await (const event of train({ ...options, signal: controller.signal }))
      if (isPlace(event)) controller.abort()
  } catch (error) {
    if (!controller.signal.aborted) throw error
  }
}

/** That two runs ended with the same bytes. */
export async function expectSame(t: ExecutionContext, a: TrainOptions, b: TrainOptions): Promise<void> {
  for (const name of ['best.safetensors', 'last.safetensors']) {
    const [one, other] = await Promise.all([a, b].map(({ output }) => readFile(join(output, name))))
    t.true(one!.equals(other!), name)
  }
}

/** What a model of a run says of its making. */
export async function provenanceOf({ output }: TrainOptions, name: 'best' | 'last') {
  const model = await Model.load(join(output, `${name}.safetensors`))
  const { provenance } = model.info
  model.dispose()
  return provenance
}
