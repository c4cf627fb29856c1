import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datasets, Model, type Picture, type TrainOptions, train } from '../lib/index.js'

const folder = mkdtempSync(join(tmpdir(), 'fer-torch-trained-'))
process.env.FER_TORCH_CACHE = join(folder, 'cache')
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

let runs = 0
export const outputFolder = (): string => join(folder, `run-${++runs}`)

/** Faces enough for one short run: two steps of 21 an epoch. */
export const faces = datasets.synthetic({ count: 42, seed: 5 })

export const smallRun = (): TrainOptions => ({
  data: faces,
  output: outputFolder(),
  epochs: 1,
  batchSize: 21,
  imageSize: 48,
  seed: 3,
})

/** The 42 faces of the test split, decoded. */
export async function testPictures(): Promise<Picture[]> {
  const { samples } = await faces.open('test')
  return Promise.all(samples.map((sample) => sample.read()))
}

/**
 * A model that has seen a little, so that its norms and its generic part are not at their start. Without its temperature:
 * it knows so little that this may be 100, and hide what tests compare.
 */
export const smallModel = async (options: Partial<TrainOptions> = {}): Promise<Model> => {
  await using model = (await train({ ...smallRun(), epochs: 2, ...options })).model
  return withTemperature(model, undefined)
}

/** The same network with another temperature, or none. */
export function withTemperature(model: Model, temperature: number | undefined): Model {
  const { temperature: _, ...info } = model.info
  return new Model({ ...info, ...(temperature === undefined ? {} : { temperature }) }, Model.borrow(model))
}
