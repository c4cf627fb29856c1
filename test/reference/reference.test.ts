import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { datasets, FerError, Model, type Prediction, predict, train } from '../../lib/index.js'
import { smallRun } from '../trained.js'

// What PyTorch in Python computed; test/reference/reference.py says how.
const folder = fileURLToPath(new URL('../../.cache/reference/', import.meta.url))
const isThere = existsSync(join(folder, 'reference.json'))
const reference = isThere ? JSON.parse(readFileSync(join(folder, 'reference.json'), 'utf8')) : undefined
const compare = isThere ? test : test.skip
if (!isThere)
  test('there is no reference yet: `npm run test:reference` computes it and runs these', (t) => t.pass())

const pictures = () => ({
  dtype: 'uint8' as const,
  shape: reference.images.shape as number[],
  data: new Uint8Array(readFileSync(join(folder, reference.images.file))),
})

function largestDifference(answers: readonly Prediction[], expected: readonly number[][]): number {
  const differences = answers.flatMap(({ logits }, i) =>
    logits!.map((value, k) => Math.abs(value - expected[i]![k]!)),
  )
  return Math.max(...differences)
}

for (const name of ['official18.pth', 'official34-module.pth']) {
  compare(
    `the logits of ${name} are PyTorch's, in modes none and batch, and after calibration`,
    async (t) => {
      const model = await Model.load(join(folder, name))
      const { logits } = reference[name]
      const ask = (options: object) =>
        predict(pictures(), { model, precision: 'float32', logits: true, ...options })
      t.true(largestDifference(await ask({ affinity: 'none' }), logits.none) < 1e-4)
      t.true(largestDifference(await ask({ affinity: 'batch' }), logits.batch) < 1e-4)
      t.true(
        largestDifference(
          logits.none.map((row: number[]) => ({ logits: row })),
          logits.batch,
        ) > 0.01,
        'the two differ',
      )

      t.false(model.calibrated)
      const error = await t.throwsAsync(() => ask({}), { instanceOf: FerError })
      t.is(error!.code, 'ERR_UNCALIBRATED')
      const classes = model.info.classes.slice(0, 6)
      const data = datasets.tensors({ pixels: pictures(), labels: [0, 1, 2, 3, 4, 5], classes })
      await model.calibrate(data, { precision: 'float32', batchSize: 4 })
      t.true(model.calibrated)
      t.true(largestDifference(await ask({}), logits.ema) < 1e-4)
      t.true(largestDifference(await ask({ batchSize: 1 }), logits.alone) < 1e-4)
      model.dispose()
    },
  )
}

compare("the logits of a torchvision ResNet fine-tuned on seven expressions are PyTorch's", async (t) => {
  const model = await Model.load(join(folder, 'gap18.pth'))
  t.like(model.info, { backbone: 'resnet18', head: 'gap', affinity: 'none', imageSize: 224 })
  const answers = await predict(pictures(), { model, precision: 'float32', logits: true })
  t.true(largestDifference(answers, reference['gap18.pth'].logits) < 1e-4)
})

compare('the classes of a checkpoint can be named where their order is another', async (t) => {
  const path = join(folder, 'gap18.pth')
  const names = ['angry', 'disgust', 'fear', 'happy', 'sad', 'surprise', 'neutral']
  const model = await Model.load(path, { classes: names })
  t.deepEqual(model.info.classes, ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral'])
  await t.throwsAsync(() => Model.load(path, { classes: ['happy', 'sad'] }), { code: 'ERR_INVALID_OPTION' })
  await t.throwsAsync(() => Model.load(path, { classes: [...names.slice(1), 'sadness'] }), {
    code: 'ERR_INVALID_OPTION',
  })
})

compare('a calibrated checkpoint is saved as a model of this package that answers the same', async (t) => {
  const model = await Model.load(join(folder, 'official18.pth'))
  const pixels = pictures()
  const data = datasets.tensors({
    pixels,
    labels: [0, 1, 2, 3, 4, 5],
    classes: model.info.classes.slice(0, 6),
  })
  await model.calibrate(data)
  const path = `${smallRun().output}.safetensors`
  await model.save(path)
  const again = await Model.load(path)
  t.deepEqual(again.info, model.info)
  t.like(again.info.provenance, { calibrated: { split: 'all', faces: 6 }, file: 'official18.pth' })
  t.deepEqual(await predict(pixels, { model: again }), await predict(pixels, { model }))
})

for (const backbone of ['resnet18', 'resnet34'] as const) {
  compare(
    `an ImageNet ${backbone} is no model of expressions, but training can begin with its weights`,
    async (t) => {
      const pretrained = join(folder, `${backbone}.pth`)
      const error = await t.throwsAsync(() => Model.load(pretrained), { instanceOf: FerError })
      t.regex(error!.message, /its 1000 classes are not the 7 or 8 expressions.*`pretrained`/)

      const data = datasets.synthetic({ count: 14, seed: 5 })
      const options = {
        ...smallRun(),
        data,
        backbone,
        pretrained,
        imageSize: 112,
        batchSize: 7,
        learningRate: 0,
      }
      const run = train({ ...options, weightDecay: 0 })
      for await (const event of run) {
        if (event.type !== 'start') continue
        t.is(event.pretrained!.taken, backbone === 'resnet18' ? 120 : 216, 'every tensor of the backbone')
        t.deepEqual(event.pretrained!.unused, [])
        t.true(event.pretrained!.fresh.includes('fc.weight (1000 x 512 in the file, 7 x 25 here)'))
        t.true(event.pretrained!.fresh.includes('arm.de_albino.weight (not in the file)'))
        break
      }
      const { model } = await run
      t.is((model.info.provenance.pretrained as { path: string }).path, pretrained)

      const other = backbone === 'resnet18' ? 'resnet34' : 'resnet18'
      await t.throwsAsync(async () => await train({ ...smallRun(), backbone: other, pretrained }), {
        message: new RegExp(`\`backbone\` to be \`${backbone}\`, that of the pretrained weights`),
      })
    },
  )
}
