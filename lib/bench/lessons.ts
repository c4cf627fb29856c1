import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expressions } from '../datasets/expressions.js'
import { folder as folderOf } from '../datasets/folder.js'
import { tensors } from '../datasets/tensors.js'
import type { StepSize } from './effort.js'
import type { Lesson } from './learner.js'
import { noisePixels, photograph } from './pictures.js'

const classes = expressions.slice(0, 7)

export const labelsOf = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => i % classes.length)

/** One batch in memory, so that every step has the same pictures, as they are. */
export function lessonInMemory(size: StepSize, precision: Lesson['precision']): Lesson {
  const { imageSize, batch } = size
  const data = tensors({ pixels: noisePixels(batch, imageSize), labels: labelsOf(batch), classes })
  return { ...size, precision, data, augmentation: false }
}

/** Of the input's side: the largest pictures that packing keeps as they are. */
const larger = 1.25

/** Those that are off by default are as likely as in recipes. */
const everyAugmentation = { noise: 0.5, flipOrNoise: 0.5, erase: 0.5 }

/** So many batches of JPEG files, written to `folder`, and everything that can happen to them. */
export async function lessonFromFiles(
  size: StepSize,
  precision: Lesson['precision'],
  batches: number,
  folder: string,
): Promise<Lesson> {
  const root = join(folder, 'faces')
  for (const [i, label] of labelsOf(batches * size.batch).entries())
    await writeJpeg(join(root, classes[label]!), i, Math.round(larger * size.imageSize))
  return { ...size, precision, data: folderOf(root), augmentation: everyAugmentation, folder }
}

async function writeJpeg(folder: string, number: number, side: number): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${number}.jpg`), await photograph(side, side))
}
