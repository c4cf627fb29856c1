import { join } from 'node:path'
import test from 'ava'
import {
  type Dataset,
  datasets,
  evaluate,
  Model,
  type Prediction,
  predict,
  type RawPixels,
  type TrainEvent,
  type TrainOptions,
  train,
} from '../lib/index.js'
import { softmax } from '../lib/metrics/index.js'
import { blocks, isHelpful, refusalOf } from './hostile/fixtures.js'
import { rewrite } from './safetensors-file.js'
import { faces, outputFolder, smallModel, smallRun, testPictures, withTemperature } from './trained.js'

let plain: Model
let warm: Model
let pictures: RawPixels[]

test.before(async () => {
  plain = await smallModel()
  warm = withTemperature(plain, 2.5)
  pictures = await testPictures()
})

const path = (): string => `${outputFolder()}.safetensors`
const near = (a: number, b: number, tolerance: number) => Math.abs(a - b) < tolerance

test('predict divides the logits by the temperature: labels stay, probabilities are their softmax', async (t) => {
  const options = { precision: 'float32', logits: true } as const
  const before = await predict(pictures, { model: plain, ...options })
  const after = await predict(pictures, { model: warm, ...options })
  for (const [i, { label, logits, probabilities, confidence }] of after.entries()) {
    t.is(label, before[i]!.label)
    t.true(confidence < before[i]!.confidence, 'above 1 it makes every answer less sure')
    const expected = softmax(before[i]!.logits!.map((logit) => logit / 2.5))
    for (const [k, name] of plain.info.classes.entries()) {
      t.true(near(logits![k]!, before[i]!.logits![k]! / 2.5, 1e-6))
      t.true(near(probabilities[name]!, expected[k]!, 1e-6))
    }
  }
})

test('evaluate measures what predict answers: the temperature changes nll and ece alone', async (t) => {
  const options = { precision: 'float32' } as const
  const [before, after] = [await evaluate(plain, faces, options), await evaluate(warm, faces, options)]
  t.is(before.temperature, 1)
  t.is(after.temperature, 2.5)
  for (const name of ['accuracy', 'macroF1', 'intervals', 'classes', 'confusion'] as const)
    t.deepEqual(after[name], before[name])
  t.true(near(after.nll, await meanSurprise(await predict(pictures, { model: warm, ...options })), 1e-5))
  t.true(near(before.nll, await meanSurprise(await predict(pictures, { model: plain, ...options })), 1e-5))
  t.true(Math.abs(after.nll - before.nll) > 0.01)
})

/** The definition of nll: the mean of -ln p(truth). */
async function meanSurprise(answers: readonly Prediction[]): Promise<number> {
  const { samples, classes } = await faces.open('test')
  const surprises = answers.map(
    ({ probabilities }, i) => -Math.log(probabilities[classes[samples[i]!.label]!]!),
  )
  return surprises.reduce((sum, surprise) => sum + surprise) / surprises.length
}

test('features know no temperature', async (t) => {
  const options = { precision: 'float32' } as const
  t.deepEqual(await warm.features(pictures[0]!, options), await plain.features(pictures[0]!, options))
})

test('a model keeps its temperature when it is saved, in either way', async (t) => {
  for (const dtype of ['float32', 'bfloat16'] as const) {
    const file = path()
    await warm.save(file, { dtype })
    t.deepEqual((await Model.load(file)).info, warm.info)
  }
  const file = path()
  await plain.save(file)
  t.false('temperature' in (await Model.load(file)).info)
})

test('a file with a temperature that is none is refused, naming file and field', async (t) => {
  const file = path()
  await warm.save(file)
  for (const temperature of [0, -1, 0.009, 101, 'hot', null, [2]]) {
    const broken = await rewrite(
      file,
      path(),
      (name) => name,
      ({ model, ...rest }) => ({ ...rest, model: JSON.stringify({ ...JSON.parse(model!), temperature }) }),
    )
    const error = await refusalOf(t, () => Model.load(broken), String(temperature))
    isHelpful(t, error, 'ERR_BAD_MODEL', broken, '`temperature` to be a number from 0.01 to 100')
  }
})

interface Validation {
  readonly accuracy: number
  readonly nll: number
  readonly ece: number
  readonly temperature: number
  readonly calibratedNll: number
  readonly calibratedEce: number
}

// With these steps the average is the better model after both epochs.
for (const [weights, changes] of [
  ['trained', { averaging: 0 }],
  ['averaged', { averaging: 0.9, learningRate: 0.01 }],
] as const) {
  test(`training fits the temperature of the ${weights} weights where it saves those`, async (t) => {
    const options = { ...smallRun(), epochs: 2, ...changes }
    const { metrics } = await train(options)
    for (const name of ['best', 'last']) {
      await using model = await Model.load(join(options.output, `${name}.safetensors`))
      const { temperature, provenance } = model.info
      const noted = provenance.validation as Validation
      t.is(provenance.weights, weights)
      t.is(noted.temperature, temperature!)
      const raw = await evaluate(withTemperature(model, undefined), faces, { split: 'validation' })
      const calibrated = await evaluate(model, faces, { split: 'validation' })
      t.true(near(raw.nll, noted.nll, 1e-4) && near(raw.ece, noted.ece, 1e-4))
      t.true(
        near(calibrated.nll, noted.calibratedNll, 1e-4) && near(calibrated.ece, noted.calibratedEce, 1e-4),
      )
      t.true(calibrated.nll <= raw.nll)
      // The result and the events keep to what the network itself answers.
      if (name === 'best') t.is(metrics.nll, noted.nll)
    }
  })
}

test('an epoch that was cut short has not been validated, and no temperature', async (t) => {
  const controller = new AbortController()
  const reason = new Error('enough')
  const options = { ...smallRun(), batchSize: 3, signal: controller.signal }
  const stopAtOnce = async () => {
    for await (const event of train(options)) if (event.type === 'step') controller.abort(reason)
  }
  await t.throwsAsync(stopAtOnce, { is: reason })
  const { info } = await Model.load(join(options.output, 'last.safetensors'))
  t.is(info.provenance.complete, false)
  t.false('temperature' in info)
  t.deepEqual(info.provenance.validation, {})
})

test('fitTemperature finds what training found, whatever was fitted before, and says on what', async (t) => {
  await using trained = (await train({ ...smallRun(), epochs: 2 })).model
  const expected = trained.info.temperature!
  t.true(expected > 1 && expected < 100, `${expected}: it knows little, and more than nothing`)
  for (const before of [undefined, 0.5]) {
    const own = withTemperature(trained, before)
    await own.fitTemperature(faces)
    t.true(near(own.info.temperature! / expected, 1, 1e-3), `${own.info.temperature}, not ${expected}`)
    const { nll, ece, ...measured } = own.info.provenance.temperature as Validation
    t.deepEqual(measured as object, { data: 'synthetic:42 seed 5', split: 'validation', faces: 42 })
    const evaluation = await evaluate(own, faces, { split: 'validation' })
    t.true(near(evaluation.nll, nll, 1e-5) && near(evaluation.ece, ece, 1e-5))
  }
})

test('fitTemperature takes another split, and a flat data set', async (t) => {
  const own = withTemperature(plain, undefined)
  await own.fitTemperature(faces, { split: 'train', precision: 'float32', batchSize: 5 })
  t.like(own.info.provenance.temperature, { split: 'train', faces: 42 })
  const best = own.info.temperature!
  t.true(best > 0.02 && best < 50, `${best}`)
  const nll = async (temperature: number) =>
    (await evaluate(withTemperature(plain, temperature), faces, { split: 'train', precision: 'float32' })).nll
  for (const factor of [0.5, 0.8, 1.25, 2]) t.true((await nll(best * factor)) > (await nll(best)))
  await own.fitTemperature(blocks())
  t.like(own.info.provenance.temperature, { data: 'tensors:14', split: 'all', faces: 14 })
})

test('a temperature outlives calibration and quantisation, and leaves them alone', async (t) => {
  const own = withTemperature(plain, 2.5)
  await own.quantize(faces, { faces: 7 })
  await own.calibrate(faces)
  t.is(own.info.temperature, 2.5)
  const { quantization } = own.info
  await own.fitTemperature(faces)
  t.deepEqual(own.info.quantization, quantization)
  t.like(own.info.provenance, { calibrated: { split: 'train', faces: 42 } })
})

test('fitTemperature refuses classes the model does not know before it decodes a face', async (t) => {
  let read = 0
  const strange: Dataset = {
    ...faces,
    open: async (name) => {
      const split = await faces.open(name)
      const samples = split.samples.map((sample) => ({
        ...sample,
        read: () => {
          read++
          return sample.read()
        },
      }))
      return { ...split, samples, classes: split.classes.with(0, 'contempt'), fingerprint: 'strange' }
    },
  }
  await t.throwsAsync(() => plain.fitTemperature(strange), { code: 'ERR_CLASS_MISMATCH' })
  t.is(read, 0)
})

test('fitTemperature refuses what it does not know, and stops when asked', async (t) => {
  const reason = new Error('enough')
  await t.throwsAsync(() => plain.fitTemperature(faces, { splt: 'test' } as object), {
    message: /did you mean `split`/,
  })
  await t.throwsAsync(() => plain.fitTemperature('folder:faces' as never), { message: /`data`/ })
  await t.throwsAsync(() => plain.fitTemperature(faces, { signal: AbortSignal.abort(reason) }), {
    is: reason,
  })
  const controller = new AbortController()
  const heard: number[] = []
  const call = plain.fitTemperature(faces, {
    batchSize: 1,
    signal: controller.signal,
    onProgress: (done) => {
      heard.push(done)
      controller.abort(reason)
    },
  })
  await t.throwsAsync(call, { is: reason })
  t.true(heard.length > 0)
  t.false('temperature' in plain.info, 'as it was')
  const empty: Dataset = { ...faces, open: async (name) => ({ ...(await faces.open(name)), samples: [] }) }
  await t.throwsAsync(() => plain.fitTemperature(empty), { code: 'ERR_DATASET_EMPTY' })
})

test('a run whose log an older version began, without intervals, goes on', async (t) => {
  const options: TrainOptions = { ...smallRun(), schedule: 'constant', warmupEpochs: 0 }
  await train(options)
  const checkpoint = join(options.output, 'checkpoint.safetensors')
  // A checkpoint is written before its epoch is validated: the log of the first epoch is in that of the second.
  await train({ ...options, epochs: 2, resume: true })
  await rewrite(
    checkpoint,
    checkpoint,
    (name) => name,
    (metadata) => ({ ...metadata, run: JSON.stringify(withoutIntervals(JSON.parse(metadata.run!))) }),
  )
  const events: TrainEvent[] = []
  for await (const event of train({ ...options, epochs: 3, resume: true })) events.push(event)
  const epochs = events.filter((event) => event.type === 'epoch')
  t.deepEqual(
    epochs.map(({ epoch }) => epoch),
    [2, 3],
  )
  t.is(epochs[1]!.validation.intervals.accuracy.length, 2)
})

function withoutIntervals(run: { progress: { log: Record<string, Record<string, unknown>>[] } }) {
  for (const event of run.progress.log) {
    const { intervals: _, classes, ...validation } = event.validation!
    const bare = (classes as object[]).map((rates) => ({ ...rates, recallInterval: undefined }))
    event.validation = { ...validation, classes: bare }
  }
  return run
}

test('data sets in memory are as good as others', async (t) => {
  const { samples, classes } = await faces.open('validation')
  const read = await Promise.all(samples.map((sample) => sample.read()))
  const [{ width, height }] = read as [RawPixels]
  const data = Uint8Array.from(Buffer.concat(read.map(({ data }) => data as Uint8Array)))
  const pixels = { dtype: 'uint8', shape: [read.length, height, width, 3], data } as const
  const tensors = datasets.tensors({
    pixels,
    labels: samples.map(({ label }) => label),
    classes: [...classes],
  })
  const [one, other] = [withTemperature(plain, undefined), withTemperature(plain, undefined)]
  await one.fitTemperature(faces, { precision: 'float32' })
  await other.fitTemperature(tensors, { precision: 'float32' })
  t.true(near(one.info.temperature!, other.info.temperature!, 1e-3))
})
