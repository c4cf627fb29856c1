// The report of a real run, which the tests after the first resume: a matter of seconds at 32 pixels.
import { readFile, rm, symlink } from 'node:fs/promises'
import { basename, join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import {
  type Dataset,
  datasets,
  FerError,
  Model,
  predict,
  type TrainOptions,
  type TrainResult,
  train,
} from '../../lib/index.js'
import {
  factsIn,
  isSound,
  type ParsedPage,
  parsePage,
  sectionOf,
  tableOf,
  tagged,
  textOf,
  withClass,
} from '../report/parsed-page.js'
import { smallRun } from '../trained.js'

const data = datasets.synthetic({ count: 42, seed: 5 })
const finished: TrainOptions = {
  ...smallRun(),
  data,
  imageSize: 32,
  epochs: 2,
  averaging: 0.5,
  precision: 'float32',
}
const reportPath = join(finished.output, 'report.html')
const reportOf = () => readFile(reportPath, 'utf8')

let result: TrainResult
test.before(async () => {
  result = await train(finished)
})

/** Takes the report away, and goes on with the run that has ended. */
async function resume(changes: Partial<TrainOptions> = {}): Promise<void> {
  await rm(reportPath, { force: true })
  const { model } = await train({ ...finished, ...changes, resume: true })
  model.dispose()
}

test.serial('a run writes its report, whose figures are those of its result', async (t) => {
  const page = isSound(t, await reportOf())
  const { metrics, best, model } = result
  t.is(textOf(tagged(page, 'h1')[0]), basename(finished.output))
  t.regex(textOf(withClass(page, 'lead')[0]), new RegExp(`^${(100 * metrics.accuracy).toFixed(1)} % of 42 `))
  const facts = factsIn(page)
  t.is(facts['Best epoch'].split(',')[0], String(best.epoch))
  t.is(facts['Epochs trained'], '2 of 2')
  t.is(facts['Macro F1'], `${(100 * metrics.macroF1).toFixed(1)} %`)
  t.like(facts, { 'Trained on': 'synthetic:42 seed 5', 'Validation faces': '42', imageSize: '32' })
  t.deepEqual(
    tableOf(page, 'Confusion matrix')
      .slice(1)
      .map(([, ...cells]) => cells.map((cell) => Number(cell.split(' ')[0]))),
    metrics.confusion,
  )
  const log = (await readFile(join(finished.output, 'log.jsonl'), 'utf8')).trim().split('\n')
  t.deepEqual(
    tableOf(page, 'Epoch by epoch, the best one bold')
      .slice(1)
      .map((row) => row[1]),
    log.map((line) => JSON.parse(line).loss.toFixed(3)),
  )
  await showsItsMistakes(t, page, model)
})

/** That a face is answered as the page says, and has the label that it says. */
async function showsItsMistakes(t: ExecutionContext, page: ParsedPage, model: Model): Promise<void> {
  const { samples, classes } = await data.open('validation')
  const items = tagged(withClass(page, 'faces')[0], 'li')
  t.is(tagged(page, 'img').length, items.length)
  for (const [answer, sure, labelled, name] of items
    .slice(0, 3)
    .map((item) => tagged(item, 'p').map(textOf))) {
    const sample = samples.find((sample) => sample.name === name)!
    t.is(labelled, `labelled ${classes[sample.label]}`)
    const { data, ...raw } = await sample.read()
    const face = await sharp(data, { raw }).png().toBuffer()
    const { label, confidence } = await predict(face, { model, precision: 'float32' })
    t.is(label, answer)
    t.true(Math.abs(100 * confidence - Number.parseFloat(sure)) < 0.06, `${confidence}, ${sure}`)
  }
}

test.serial('a finished run that is resumed writes its report again', async (t) => {
  const lasting = (page: ParsedPage) =>
    ['classes', 'calibration', 'mistakes', 'data', 'options'].map((id) => textOf(sectionOf(page, id)))
  const before = parsePage(await reportOf())
  await resume()
  t.deepEqual(lasting(isSound(t, await reportOf())), lasting(before))
})

test.serial('a report that cannot be written fails the call, by name, and leaves all else', async (t) => {
  // Every write to it fails as on a full disk.
  await symlink('/dev/full', `${reportPath}.tmp`)
  await rm(join(finished.output, 'metrics.json'))
  const error = await t.throwsAsync(async () => await resume(), { instanceOf: FerError })
  t.is(error!.code, 'ERR_OUTPUT')
  t.true(error!.message.includes(reportPath))
  t.regex(error!.message, /has ended and is saved.*no space left on device.*with `resume` writes it/i)
  const model = await Model.load(join(finished.output, 'best.safetensors'))
  t.is(model.info.imageSize, 32)
  const { best } = JSON.parse(await readFile(join(finished.output, 'metrics.json'), 'utf8'))
  t.is(best.metrics.accuracy, result.metrics.accuracy)
  await resume()
  isSound(t, await reportOf())
})

test.serial('a run aborted before its report is written rejects with the reason given', async (t) => {
  const controller = new AbortController()
  const reason = new Error('changed my mind')
  await rm(reportPath)
  const watched = async () => {
    // Of the last epoch: all that comes after it is the report.
    for await (const event of train({ ...finished, resume: true, signal: controller.signal }))
      if (event.type === 'epoch') controller.abort(reason)
  }
  await t.throwsAsync(watched, { is: reason })
  await t.throwsAsync(reportOf, { code: 'ENOENT' })
})

test.serial('pictures that can no longer be read are no reason to do without the report', async (t) => {
  const gone: Dataset = {
    ...data,
    open: async (split) => {
      const opened = await data.open(split)
      const read = () => Promise.reject(new Error('gone'))
      return { ...opened, samples: opened.samples.map((sample) => ({ ...sample, read })) }
    },
  }
  // They were packed before.
  await resume({ data: gone })
  const page = isSound(t, await reportOf())
  t.deepEqual(tagged(page, 'img'), [])
  t.true(withClass(page, 'gone').length > 0)
})
