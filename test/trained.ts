import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { datasets, type TrainOptions, train } from '../lib/index.js'

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

/** A model that has seen a little, so that its norms and its generic part are not at their start. */
export const smallModel = async (options: Partial<TrainOptions> = {}) =>
  (await train({ ...smallRun(), epochs: 2, ...options })).model
