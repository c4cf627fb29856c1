import test from 'ava'
import sharp from 'sharp'
import { evaluate, type Model, type Prediction, predict, type RawPixels } from '../lib/index.js'
import { faces, smallModel, testPictures } from './trained.js'

let model: Model
let pictures: RawPixels[]

test.before(async () => {
  model = await smallModel()
  pictures = await testPictures()
})

const mirrored = async (face: RawPixels): Promise<RawPixels> => ({
  ...face,
  data: await sharp(face.data, { raw: face }).flop().raw().toBuffer(),
})

test('flip answers the mean of the logits of a picture and of its mirror image', async (t) => {
  const options = { model, precision: 'float32', logits: true } as const
  const mirrors = await Promise.all(pictures.map(mirrored))
  const [both, one, other, turned] = (await Promise.all([
    predict(pictures, { ...options, flip: true }),
    predict(pictures, options),
    predict(mirrors, options),
    predict(mirrors, { ...options, flip: true }),
  ])) as [Prediction[], Prediction[], Prediction[], Prediction[]]
  let apart = 0
  for (const [i, { logits }] of both.entries())
    for (const [k, logit] of logits!.entries()) {
      const [a, b] = [one[i]!.logits![k]!, other[i]!.logits![k]!]
      apart = Math.max(apart, Math.abs(a - b))
      t.true(Math.abs(logit - (a + b) / 2) < 1e-4)
      t.true(Math.abs(logit - turned[i]!.logits![k]!) < 1e-4)
    }
  t.true(apart > 1e-2)
})

test('an evaluation with flip says so, and one without does not', async (t) => {
  const options = { precision: 'float32', batchSize: 4 } as const
  const [flipped, plain] = await Promise.all([
    evaluate(model, faces, { ...options, flip: true }),
    evaluate(model, faces, options),
  ])
  t.is(flipped.flip, true)
  t.false('flip' in plain)
  t.not(flipped.nll, plain.nll)
})
