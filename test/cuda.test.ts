// The calls of the package on a GPU; skipped where there is none. `npm run test:cuda`.
import test from 'ava'
import { evaluate, predict } from '../lib/index.js'
import { native } from '../lib/native.js'
import { faces, smallModel, testPictures } from './trained.js'

const testGpu = native.describe().gpus.length > 0 ? test : test.skip

testGpu('a model trained on a GPU answers there and on the processor alike', async (t) => {
  await using model = await smallModel({ device: 'cuda' })
  const pictures = await testPictures()
  const [there, here] = await Promise.all(
    (['cuda', 'cpu'] as const).map((device) => predict(pictures, { model, device, precision: 'float32' })),
  )
  for (const [i, { probabilities }] of there!.entries())
    for (const [name, probability] of Object.entries(probabilities))
      t.true(Math.abs(probability - here![i]!.probabilities[name]!) < 0.01)
  const { device } = await evaluate(model, faces, { device: 'auto' })
  t.is(device, 'cuda:0')
})

test('a GPU that is not there is named in the error, and auto takes what there is', async (t) => {
  const face = { dtype: 'uint8', shape: [1, 48, 48, 1], data: new Uint8Array(48 * 48) } as const
  const error = await t.throwsAsync(predict(face, { device: 'cuda:64' }), { code: 'ERR_DEVICE' })
  t.regex(error!.message, /^Device `cuda:64` cannot be used: /)
  await t.throwsAsync(predict(face, { device: 'gpu' as 'cpu' }), {
    code: 'ERR_INVALID_OPTION',
    message: /`device` to be auto, cpu, cuda or cuda:N, got `gpu`/,
  })
  t.deepEqual(
    await predict(face, { device: native.describe().gpus.length > 0 ? 'cuda' : 'cpu' }),
    await predict(face),
  )
})
