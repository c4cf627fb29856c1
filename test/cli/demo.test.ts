import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { makeDemo } from '../../lib/cli/demo.js'
import { Model } from '../../lib/index.js'
import { remove, temporaryFolder } from './run.js'

let folder: string
test.before(async () => {
  folder = await temporaryFolder()
  process.env.FER_TORCH_CACHE = join(folder, 'cache')
})
test.after.always(() => remove(folder))

test('demo leaves a model that loads and a picture, and says where they are', async (t) => {
  const recipe = {
    faces: { training: 35, validation: 14, test: 21 },
    seed: 3,
    options: { imageSize: 48, batchSize: 16, epochs: 1 },
  }
  const { accuracy, seconds, picture, model: path } = await makeDemo(recipe, join(folder, 'demo'))
  t.true(accuracy >= 0 && accuracy <= 1)
  t.true(seconds > 0)
  t.is((await sharp(picture).metadata()).format, 'png')
  await using model = await Model.load(path)
  t.is(model.info.provenance.data, 'synthetic:35 seed 3')
})
