import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import {
  datasets,
  evaluate,
  FerError,
  Model,
  predict,
  type SplitName,
  type TrainEvent,
  type TrainOptions,
  train,
} from '../lib/index.js'
import { faces, outputFolder, smallModel, smallRun } from './trained.js'

const bytesOf = (path: string) => readFile(path)

for (const precision of ['float32', 'bfloat16'] as const) {
  test(`in ${precision} the same run gives the same weights to the bit, another seed others`, async (t) => {
    const run = async (seed: number) => {
      const options = { ...smallRun(), epochs: 2, precision, seed }
      await train(options)
      return tensorsOf(join(options.output, 'last.safetensors'))
    }
    const first = await run(3)
    t.true(first.equals(await run(3)))
    t.false(first.equals(await run(4)))
  })
}

/** A model file without its header, which names the seed. */
async function tensorsOf(path: string): Promise<Buffer> {
  const bytes = await bytesOf(path)
  return bytes.subarray(8 + Number(bytes.readBigUInt64LE()))
}

test('a run can be iterated for its events and awaited for its result', async (t) => {
  const options = { ...smallRun(), epochs: 2 }
  const run = train(options)
  const events: TrainEvent[] = []
  for await (const event of run) events.push(event)
  const { model, metrics, best } = await run
  const epochs = events.filter((event) => event.type === 'epoch')
  t.deepEqual(
    epochs.map((event) => event.epoch),
    [1, 2],
  )
  t.true(epochs[0]!.best, 'the first epoch is the best so far')
  const checkpoints = events.filter((event) => event.type === 'checkpoint')
  t.deepEqual(
    checkpoints.filter((event) => event.kind === 'last').map((event) => event.epoch),
    [1, 2],
  )
  const steps = events.filter((event) => event.type === 'step')
  t.is(steps.at(-1)!.step, 4, 'two steps of 21 of 42 faces, twice')
  t.is(steps.at(-1)!.steps, 4)
  t.is(metrics.samples, 42)
  t.is(best.accuracy, Math.max(...epochs.map((event) => event.validation.accuracy)))
  t.is(best.path, join(options.output, 'best.safetensors'))
  t.deepEqual(
    model.info.classes,
    metrics.classes.map((row) => row.name),
  )
})

test('the files of a run are whole and agree with its events', async (t) => {
  const options = { ...smallRun(), epochs: 2 }
  const { metrics, best } = await train(options)
  const lines = (await readFile(join(options.output, 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  t.deepEqual(
    lines.map((line) => line.epoch),
    [1, 2],
  )
  const summary = JSON.parse(await readFile(join(options.output, 'metrics.json'), 'utf8'))
  t.is(summary.best.epoch, best.epoch)
  t.deepEqual(summary.best.metrics, JSON.parse(JSON.stringify(metrics)))
  for (const name of ['best', 'last']) {
    const model = await Model.load(join(options.output, `${name}.safetensors`))
    t.is(model.info.imageSize, 48)
    t.is((model.info.provenance.options as TrainOptions).seed, 3)
  }
  await t.throwsAsync(stat(join(options.output, 'best.safetensors.tmp')))
})

test('break leaves the events, not the run', async (t) => {
  const run = train(smallRun())
  for await (const event of run) if (event.type === 'step') break
  t.is((await run).metrics.samples, 42)
})

test('steps that nobody reads in time coalesce', async (t) => {
  const run = train({ ...smallRun(), batchSize: 3, epochs: 1 })
  await run
  const seen: string[] = []
  for await (const event of run) seen.push(event.type)
  t.deepEqual(
    seen,
    ['start', 'step', 'checkpoint', 'checkpoint', 'checkpoint', 'epoch'],
    '14 steps were taken, one is kept',
  )
})

test('a failed run rejects when awaited and throws when iterated, and neither alone leaves an unhandled rejection', async (t) => {
  const unhandled: unknown[] = []
  const listen = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', listen)
  const bad = () => train({ ...smallRun(), epochs: 0 })
  await t.throwsAsync(async () => await bad(), {
    message: /Expected `epochs` to be an integer from 1 to 10000, got `0` \(number\)/,
  })
  await t.throwsAsync(
    async () => {
      for await (const _ of bad());
    },
    { message: /epochs/ },
  )
  await new Promise((resolve) => setTimeout(resolve, 50))
  process.off('unhandledRejection', listen)
  t.deepEqual(unhandled, [])
})

test('an aborted run writes last, rejects with the reason given, and stops soon', async (t) => {
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  const options = { ...smallRun(), epochs: 1000, signal: controller.signal }
  const run = train(options)
  for await (const event of run) if (event.type === 'step') break
  const started = performance.now()
  controller.abort(reason)
  await t.throwsAsync(async () => await run, { is: reason })
  t.true(performance.now() - started < 10_000)
  t.is((await Model.load(join(options.output, 'last.safetensors'))).info.head, 'arm')
  await t.throwsAsync(async () => await train({ ...smallRun(), signal: AbortSignal.abort(reason) }), {
    is: reason,
  })
})

test('the event loop turns while a run trains', async (t) => {
  const run = train(smallRun())
  let turns = 0
  const started = performance.now()
  const timer = setInterval(() => turns++, 5)
  await run
  clearInterval(timer)
  t.true(turns > (performance.now() - started) / 5 / 4, `${turns} turns`)
})

test('a folder that holds a run is refused, and left alone', async (t) => {
  const options = smallRun()
  await train(options)
  const before = await bytesOf(join(options.output, 'best.safetensors'))
  const error = await t.throwsAsync(async () => await train(options), { instanceOf: FerError })
  t.is(error!.code, 'ERR_OUTPUT_EXISTS')
  t.true(before.equals(await bytesOf(join(options.output, 'best.safetensors'))))
})

test('two runs cannot have one folder, and a run that fails before it learns gives it back', async (t) => {
  const options = smallRun()
  const both = await Promise.allSettled([train(options), train(options)])
  t.deepEqual(both.map((run) => run.status).toSorted(), ['fulfilled', 'rejected'])
  const refused = both.find((run) => run.status === 'rejected')!
  t.is(refused.reason.code, 'ERR_OUTPUT_EXISTS')
  const broken = { ...smallRun(), data: { ...faces, open: brokenSplit } }
  await t.throwsAsync(async () => await train(broken), { message: /cannot be read/ })
  await t.notThrowsAsync(async () => await train({ ...broken, data: faces }))
})

async function brokenSplit(split: SplitName) {
  const opened = await faces.open(split)
  const read = () => Promise.reject(new Error('cannot be read'))
  return {
    ...opened,
    fingerprint: `broken ${split}`,
    samples: opened.samples.map((sample) => ({ ...sample, read })),
  }
}

test('a data set that changes under one fingerprint, or is empty, is remade or refused, and crashes nothing', async (t) => {
  const fewer = async (split: SplitName) => {
    const opened = await faces.open(split)
    return { ...opened, samples: opened.samples.slice(0, 30) }
  }
  await train(smallRun())
  const { metrics } = await train({ ...smallRun(), data: { ...faces, open: fewer } })
  t.is(metrics.samples, 30)
  const none = async (split: SplitName) => ({ ...(await faces.open(split)), samples: [] })
  const error = await t.throwsAsync(
    async () => await train({ ...smallRun(), data: { ...faces, open: none } }),
  )
  t.is((error as FerError).code, 'ERR_DATASET_EMPTY')
})

test('validating on the very faces that are trained on is refused', async (t) => {
  const { pixels, labels } = await inMemory()
  const data = datasets.tensors({ pixels, labels, classes: ['happy', 'sad'] })
  await t.throwsAsync(async () => await train({ ...smallRun(), data, validation: data }), {
    message: /other faces/,
  })
})

test('every head, affinity, optimizer and schedule trains, and its model answers', async (t) => {
  const rows: Partial<TrainOptions>[] = [
    { head: 'gap', optimizer: 'sgd', schedule: 'one-cycle' },
    { optimizer: 'sgd', momentum: 0 },
    { affinity: 'none', optimizer: 'adam', schedule: 'exponential' },
    { affinity: 'batch', schedule: 'constant', warmupEpochs: 0.5, labelSmoothing: 0.1, clipNorm: 1 },
  ]
  for (const row of rows) {
    const { model } = await train({ ...smallRun(), ...row })
    const { accuracy, affinity } = await evaluate(model, faces)
    t.true(accuracy >= 0 && accuracy <= 1)
    t.is(
      affinity,
      row.head === 'gap' || row.affinity === 'none' ? 'none' : 'ema',
      'batch must be asked for by name',
    )
  }
})

test('what cannot work is refused before training starts, naming field and cure', async (t) => {
  const refuses = async (options: Record<string, unknown>, pattern: RegExp) => {
    const error = await t.throwsAsync(
      async () => await train({ ...smallRun(), ...options } as TrainOptions),
      { instanceOf: FerError },
    )
    t.regex(error!.message, pattern)
  }
  await refuses({ learningRat: 0.1 }, /did you mean `learningRate`/)
  await refuses({ optimizer: 'adamm' }, /did you mean `adam`/)
  await refuses({ data: 'folder:faces' }, /datasets\.folder/)
  await refuses({ augmentation: { flipp: 1 } }, /`augmentation.flipp` in augmentation: did you mean `flip`/)
  await refuses(
    { augmentation: { rotation: 'much' } },
    /`augmentation.rotation` to be a number from 0 to 180/,
  )
  await refuses({ head: 'gap', affinity: 'batch' }, /`none` with head `gap`/)
  await refuses({ imageSize: 48, stem: 'standard' }, /`imageSize` to be at least 97/)
  await refuses({ output: '' }, /non-empty string/)
  await refuses({ signal: {} }, /AbortSignal/)
  await refuses({ data: datasets.folder('nowhere') }, /nowhere/)
  await refuses({ seed: Number.NaN }, /`seed`/)
})

test('without a validation split a seeded tenth of each class is held out of training', async (t) => {
  const { pixels, labels } = await inMemory()
  const data = datasets.tensors({ pixels, labels, classes: ['happy', 'sad'] })
  const { metrics, model } = await train({ ...smallRun(), data, batchSize: 8 })
  t.is(metrics.samples, 4, 'two of twenty of each class')
  t.is(model.info.provenance.trainingFaces, 36)
  t.is(model.info.color, 'grey')
  t.deepEqual([...model.info.classes], ['happiness', 'sadness'])
})

/** Twenty dark faces and twenty bright ones, none like another: nothing to do with faces, but easy to tell apart. */
async function inMemory() {
  const labels = Array.from({ length: 40 }, (_, i) => i % 2)
  const levelOf = (face: number) => (face % 2 ? 200 : 50) + Math.floor(face / 2)
  const data = Uint8Array.from({ length: 40 * 48 * 48 }, (_, i) => levelOf(Math.floor(i / 2304)) + (i % 7))
  return { pixels: { dtype: 'uint8', shape: [40, 48, 48, 1], data } as const, labels }
}

test('train never opens a test split', async (t) => {
  const opened: string[] = []
  const open = (split: SplitName) => {
    opened.push(split)
    return faces.open(split)
  }
  await train({ ...smallRun(), data: { ...faces, open } })
  t.deepEqual(opened.toSorted(), ['train', 'validation'])
})

test('it learns: two levels of grey are told apart within a few epochs', async (t) => {
  const { pixels, labels } = await inMemory()
  const data = datasets.tensors({ pixels, labels, classes: ['happy', 'sad'] })
  const options = {
    ...smallRun(),
    data,
    batchSize: 12,
    epochs: 6,
    augmentation: { brightness: 0, contrast: 0 },
  }
  const { metrics } = await train(options)
  t.is(metrics.accuracy, 1)
})

test('evaluation and prediction of the same pictures agree, whatever their size on disk', async (t) => {
  const model = await smallModel()
  const folder = outputFolder()
  const { samples } = await faces.open('test')
  const paths: string[] = []
  for (const [i, sample] of samples.slice(0, 6).entries()) {
    const { data, width, height, channels } = await sample.read()
    const path = join(folder, 'test', i % 2 ? 'sad' : 'happy', `${i}.png`)
    await sharp(data, { raw: { width, height, channels } })
      .resize(60 + 20 * i)
      .png()
      .toFile(await parentOf(path))
    paths.push(path)
  }
  const answers = await predict(paths, { model, precision: 'float32' })
  const {
    confusion,
    classes,
    samples: count,
  } = await evaluate(model, datasets.folder(folder), { precision: 'float32' })
  t.is(count, 6)
  for (const [column, row] of classes.entries()) {
    t.is(
      confusion.reduce((sum, line) => sum + line[column]!, 0),
      answers.filter((answer) => answer.label === row.name).length,
    )
  }
})

test('a listener that throws stops the call, which rejects with what was thrown', async (t) => {
  const model = await smallModel()
  const thrown = new Error('mine')
  const onProgress = () => {
    throw thrown
  }
  await t.throwsAsync(() => evaluate(model, faces, { onProgress, batchSize: 7 }), { is: thrown })
})

async function parentOf(path: string): Promise<string> {
  const { mkdir } = await import('node:fs/promises')
  await mkdir(join(path, '..'), { recursive: true })
  return path
}
