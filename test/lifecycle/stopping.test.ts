import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { evaluate, Model, predict, type RawPixels, train } from '../../lib/index.js'
import { faces, outputFolder, smallModel, smallRun, testPictures } from '../trained.js'

let model: Model
let path: string
let pictures: RawPixels[]
test.before(async () => {
  path = `${outputFolder()}.safetensors`
  model = await smallModel()
  await model.save(path)
  pictures = await testPictures()
})

type Call = (signal: AbortSignal, model: Model) => Promise<unknown>
const calls: Readonly<Record<string, Call>> = {
  predict: (signal, model) => predict(pictures, { model, signal, batchSize: 1 }),
  features: (signal, model) => model.features(pictures, { signal, batchSize: 1 }),
  evaluate: (signal, model) => evaluate(model, faces, { signal, batchSize: 1 }),
  calibrate: (signal, model) => model.calibrate(faces, { signal, batchSize: 1 }),
  quantize: (signal, model) => model.quantize(faces, { signal }),
  train: (signal) => train({ ...smallRun(), signal, batchSize: 3 }),
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name} can be aborted before, during and after, and rejects with the reason given`, async (t) => {
    const own = await Model.load(path)
    const reason = { mine: name }
    await t.throwsAsync(async () => await call(AbortSignal.abort(reason), own), {
      any: true,
      is: reason as never,
    })
    for (const delay of [0, 1, 5, 20]) {
      const controller = new AbortController()
      const pending = call(controller.signal, own).then(
        () => undefined,
        (error) => error,
      )
      await new Promise((resolve) => setTimeout(resolve, delay))
      controller.abort(reason)
      const ended = await pending
      t.true(ended === reason || ended === undefined, `after ${delay} ms: ${ended}`)
    }
    const controller = new AbortController()
    await call(controller.signal, own)
    controller.abort(reason)
    await new Promise((resolve) => setTimeout(resolve, 10))
    t.is((await predict(pictures, { model: own })).length, pictures.length, 'what was aborted harms nothing')
  })
}

for (const name of ['predict', 'features', 'evaluate', 'calibrate', 'quantize']) {
  test(`a model disposed of during ${name} lets it end, and refuses the next`, async (t) => {
    const own = await Model.load(path)
    const pending = calls[name]!(new AbortController().signal, own)
    await new Promise((resolve) => setTimeout(resolve, 3))
    own.dispose()
    await t.notThrowsAsync(pending)
    await t.throwsAsync(() => calls[name]!(new AbortController().signal, own), { code: 'ERR_DISPOSED' })
  })
}

test('many calls at once on one model, and on several, answer as one alone', async (t) => {
  const alone = await predict(pictures, { model, precision: 'float32' })
  const others = await Promise.all(Array.from({ length: 3 }, () => Model.load(path)))
  const together = await Promise.all(
    [model, ...others, model, ...others].map((own) =>
      predict(pictures, { model: own, precision: 'float32' }),
    ),
  )
  for (const answers of together) t.deepEqual(answers, alone)
  for (const own of others) own.dispose()
})

test('models, pixels and results are kept alive by the calls in flight while garbage is collected', async (t) => {
  const library = new URL('../../lib/index.ts', import.meta.url).href
  const code = `
    const { Model, predict } = await import('${library}')
    const expected = []
    for (let round = 0; round < 12; round++) {
      const make = () => ({ data: new Uint8Array(48 * 48 * 3).fill(20 * round), width: 48, height: 48, channels: 3 })
      const load = () => Model.load(${JSON.stringify(path)})
      const pending = (async () => predict(Array.from({ length: 20 }, make), { model: await load(), batchSize: 3 }))()
      const features = (async () => (await load()).features(make()))()
      const churn = setInterval(() => { gc(); new Uint8Array(1e6).fill(255) }, 1)
      const answers = await pending
      const values = await features
      clearInterval(churn)
      gc()
      if (answers.some((answer) => Math.abs(answer.confidence - answers[0].confidence) > 5e-3)) throw new Error('answers differ')
      if (!values.every(Number.isFinite)) throw new Error('features were freed')
    }
    console.log('done')`
  const args = ['--expose-gc', '--import=tsx', '--input-type=module', '--eval', code]
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: process.env })
  t.is(stdout.trim(), 'done')
})
