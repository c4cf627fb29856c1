import { mkdtemp } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench } from './bench.js'
import { type Contender, contender, expectAgreement } from './contenders.js'
import type { StepSize } from './effort.js'
import { Learner } from './learner.js'
import { labelsOf, lessonInMemory } from './lessons.js'
import { averaged } from './measure.js'
import { type Feed, writeFeed } from './networks.js'
import type { Running } from './peers.js'
import { noisePixels } from './pictures.js'
import { Subject } from './subject.js'

/** Ways of telling PyTorch to make the same step, by the names that bench/peers/torch_peer.py has for them. */
export const forms = [
  'official float32',
  'tuned float32',
  'tuned bfloat16',
  'bfloat16, ARM as a product',
] as const
export type Form = (typeof forms)[number]

/** PyTorch in each of these forms, with our weights, pictures and labels, from which it must get our loss. */
export async function trainingContenders(
  bench: Bench,
  size: StepSize,
  given: readonly Form[],
): Promise<Contender[]> {
  const running = await bench.peers.shared('PyTorch')
  if (!running) return given.map((form) => ({ name: `PyTorch ${form}` }))
  const course = await writeCourse(bench, size)
  const contenders: Contender[] = []
  for (const form of given) contenders.push(await trainingContender(running, form, course))
  return contenders
}

/** What peers train, and the loss that it begins with. */
interface Course extends Feed {
  readonly model: string
  readonly labels: readonly number[]
  readonly loss: number
}

async function writeCourse(bench: Bench, size: StepSize): Promise<Course> {
  const { imageSize, batch } = size
  const feed = await writeFeed(bench, noisePixels(batch, imageSize))
  return {
    ...feed,
    model: await writeModel(bench, imageSize),
    labels: labelsOf(batch),
    loss: await firstLoss(size),
  }
}

async function writeModel(bench: Bench, imageSize: number): Promise<string> {
  const folder = await mkdtemp(join(bench.subject.folder, 'train-'))
  const subject = await Subject.make(folder, imageSize)
  await using _ = subject.model
  return await subject.file('float32')
}

async function firstLoss(size: StepSize): Promise<number> {
  using learner = await Learner.make(lessonInMemory(size, 'float32'))
  return await learner.learn(1)
}

async function trainingContender(
  running: Running,
  form: Form,
  { loss, ...course }: Course,
): Promise<Contender> {
  const key = `train ${course.shape.at(-1)} ${form}`
  const { output } = await running.peer.ask<{ output: number[] }>('loadTraining', { key, form, ...course })
  expectAgreement(`${running.version}, ${form}`, output, [loss])
  const { side, ...described } = contender(running, key, form)
  return { ...described, side: averaged(side!) }
}
