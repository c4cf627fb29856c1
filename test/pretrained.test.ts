import { join } from 'node:path'
import test from 'ava'
import {
  datasets,
  type ErrorCode,
  evaluate,
  FerError,
  Model,
  type PretrainedReport,
  type TrainOptions,
  train,
} from '../lib/index.js'
import { rewrite, takeApart } from './safetensors-file.js'
import { faces, outputFolder, smallModel, smallRun } from './trained.js'

let source: string
test.before(async () => {
  source = `${outputFolder()}.safetensors`
  await (await smallModel()).save(source)
})

/** Trains without moving a weight, so that what was taken over can be seen in the result. */
async function begin(options: Partial<TrainOptions>): Promise<{ report: PretrainedReport; path: string }> {
  const run = train({ ...smallRun(), pretrained: source, learningRate: 0, weightDecay: 0, ...options })
  for await (const event of run)
    if (event.type === 'start') return { report: event.pretrained!, path: (await run).best.path }
  throw new Error('the run did not start')
}

async function bytesOf(path: string, name: string): Promise<Buffer> {
  const { header, data } = await takeApart(path)
  return data.subarray(...header[name]!.data_offsets)
}

test('a run can begin with the weights of a model of the same kind, classifier included', async (t) => {
  const { report, path } = await begin({})
  t.deepEqual([report.path, report.fresh], [source, []])
  t.deepEqual(report.unused, ['arm.generic'], 'the running mean is that of other faces')
  for (const name of ['conv1.weight', 'layer4.1.conv2.weight', 'arm.de_albino.weight', 'fc.weight'])
    t.true((await bytesOf(path, name)).equals(await bytesOf(source, name)), name)
  const model = await Model.load(path)
  t.deepEqual(model.info.provenance.pretrained, report)
})

test('what does not fit begins fresh and is named', async (t) => {
  const { report } = await begin({ imageSize: 64, stem: 'standard', head: 'gap', affinity: 'none' })
  t.true(report.fresh.includes('conv1.weight (64 x 3 x 3 x 3 in the file, 64 x 3 x 7 x 7 here)'))
  t.true(report.fresh.includes('fc.weight (7 x 81 in the file, 7 x 512 here)'))
  t.false(report.fresh.some((line) => line.startsWith('layer')))
  t.true(report.unused.includes('arm.de_albino.weight'))
})

test('a classifier of other classes is not taken, though it has the same shape', async (t) => {
  const other = await rewrite(
    source,
    `${outputFolder()}.safetensors`,
    (name) => name,
    (metadata) => {
      const model = JSON.parse(metadata.model!)
      return { ...metadata, model: JSON.stringify({ ...model, classes: model.classes.toReversed() }) }
    },
  )
  const { report } = await begin({ pretrained: other })
  t.deepEqual(report.fresh, [
    'fc.weight (of other or unknown classes)',
    'fc.bias (of other or unknown classes)',
  ])
})

test("safetensors of other tools, under torchvision's or wrapped names, serve too", async (t) => {
  const foreign = await rewrite(
    source,
    `${outputFolder()}.safetensors`,
    (name) => (name.startsWith('layer') || /^(conv|bn)1/.test(name) ? `model.${name}` : undefined),
    () => ({ format: 'pt' }),
  )
  const { report, path } = await begin({ pretrained: foreign })
  t.true(report.fresh.includes('fc.weight (not in the file)'))
  t.true((await bytesOf(path, 'conv1.weight')).equals(await bytesOf(source, 'conv1.weight')))
})

test('weights of another backbone, of none, or none at all are refused', async (t) => {
  const refuses = async (options: Partial<TrainOptions>, code: ErrorCode, pattern: RegExp) => {
    const error = await t.throwsAsync(
      async () => await train({ ...smallRun(), pretrained: source, ...options }),
      { instanceOf: FerError },
    )
    t.is(error!.code, code)
    t.regex(error!.message, pattern)
  }
  await refuses(
    { backbone: 'resnet34' },
    'ERR_INVALID_OPTION',
    /`backbone` to be `resnet18`, that of the pretrained/,
  )
  await refuses({ pretrained: 'no/such.pth' }, 'ERR_MODEL_NOT_FOUND', /no\/such\.pth/)
  const headOnly = await rewrite(
    source,
    `${outputFolder()}.safetensors`,
    (name) => (name.startsWith('fc') ? name : undefined),
    () => ({}),
  )
  await refuses({ pretrained: headOnly }, 'ERR_BAD_MODEL', /not those of a ResNet-18 or ResNet-34/)
})

test('a resumed run keeps what it began with, and does not read the weights again', async (t) => {
  const options = { ...smallRun(), pretrained: source, epochs: 1 }
  await train(options)
  const run = train({ ...options, epochs: 2, resume: true })
  for await (const event of run) if (event.type === 'start') t.is(event.pretrained, undefined)
  const { model } = await run
  t.is((model.info.provenance.pretrained as PretrainedReport).path, source)
})

test('a model without its running generic part answers after calibration, one face at a time as in a batch', async (t) => {
  const path = await rewrite(source, `${outputFolder()}.safetensors`, (name) =>
    name === 'arm.generic' ? undefined : name,
  )
  const model = await Model.load(path)
  t.false(model.calibrated)
  await t.throwsAsync(() => evaluate(model, faces), { code: 'ERR_UNCALIBRATED' })
  const seen: number[] = []
  await model.calibrate(faces, { batchSize: 16, onProgress: (done) => seen.push(done) })
  t.deepEqual(seen, [16, 32, 42])
  t.true(model.calibrated)
  t.like(model.info.provenance.calibrated, { split: 'train', faces: 42 })
  const alone = await evaluate(model, faces, { batchSize: 1, precision: 'float32' })
  const together = await evaluate(model, faces, { precision: 'float32' })
  t.deepEqual(alone.confusion, together.confusion)
  // The best epoch's running mean is another number, but nearly the same model.
  const trained = await evaluate(await Model.load(source), faces, { precision: 'float32' })
  t.true(Math.abs(together.nll - trained.nll) < 0.5)
})

test('a model saved while it is calibrated is whole', async (t) => {
  const withoutGeneric = (name: string) => (name === 'arm.generic' ? undefined : name)
  const model = await Model.load(await rewrite(source, `${outputFolder()}.safetensors`, withoutGeneric))
  const path = `${outputFolder()}.safetensors`
  let saving: Promise<void> | undefined
  await model.calibrate(faces, {
    batchSize: 1,
    onProgress: (done) => {
      if (done === 3) saving = model.save(path)
    },
  })
  await saving
  t.false((await Model.load(path)).calibrated, 'as it was when it was asked for')
})

test('calibration refuses models that share nothing, other options, and stops when asked', async (t) => {
  const { model } = await train({ ...smallRun(), head: 'gap' })
  await t.throwsAsync(() => model.calibrate(faces), {
    code: 'ERR_INVALID_OPTION',
    message: /shares a generic part/,
  })
  const arm = await Model.load(source)
  await t.throwsAsync(() => arm.calibrate(faces, { affinity: 'ema' } as object), {
    code: 'ERR_UNKNOWN_OPTION',
  })
  const reason = new Error('enough')
  await t.throwsAsync(() => arm.calibrate(faces, { signal: AbortSignal.abort(reason) }), { is: reason })
  const empty = datasets.folder(join(outputFolder(), 'nowhere'))
  await t.throwsAsync(() => arm.calibrate(empty), { code: 'ERR_DATASET_NOT_FOUND' })
})
