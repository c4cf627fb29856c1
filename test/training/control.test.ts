import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { datasets, evaluate, FerError, type Metrics, type TrainOptions, train } from '../../lib/index.js'
import { faces, smallRun } from '../trained.js'
import { levels, spread } from './levels.js'
import { epochsOf, eventsIn, eventsOf, expectSame, provenanceOf, stopAt } from './runs.js'

// Plain pooling and two classes of a few grey levels: an epoch takes a fraction of a second.
const two = ['happiness', 'sadness']
const data = levels('levels', two, { train: spread(0, 12, 0, 1), validation: spread(100, 6, 0, 1) })
const tiny = (): TrainOptions => ({ ...smallRun(), data, head: 'gap', batchSize: 8, precision: 'float32' })

const logOf = async ({ output }: TrainOptions) =>
  (await readFile(join(output, 'log.jsonl'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))

// Patience.

test('patience ends a run where so many epochs in a row brought no better model, and no epoch earlier', async (t) => {
  const options = { ...tiny(), epochs: 60, patience: 3 }
  const run = train(options)
  const { stopped, best } = await run
  t.is(stopped, 'patience')
  const wins = (await logOf(options)).map((event) => event.best as boolean)
  t.is(wins.length, best.epoch + 3)
  t.is(
    wins.map(Number).join('').indexOf('000'),
    wins.length - 3,
    'no three without a better one before the end',
  )
})

test('a run that patience ended is there whole, ends at once when resumed as it was, and goes on with more', async (t) => {
  const unbroken = { ...tiny(), epochs: 6 }
  await train(unbroken)
  const options = { ...unbroken, output: tiny().output, patience: 1 }
  const first = await train(options)
  t.is(first.stopped, 'patience')
  const { length } = await logOf(options)
  t.true(length < 6, `it ended after ${length} epochs`)
  t.is(JSON.parse(await readFile(join(options.output, 'metrics.json'), 'utf8')).best.epoch, first.best.epoch)

  const again = await train({ ...options, resume: true })
  t.is(again.stopped, 'patience')
  t.deepEqual(again.metrics, first.metrics)
  t.is((await logOf(options)).length, length)

  const { stopped } = await train({ ...options, resume: true, patience: 0 })
  t.is(stopped, undefined)
  await expectSame(t, unbroken, options)
})

test('a run that comes to its last epoch says of no reason', async (t) => {
  const result = await train({ ...tiny(), epochs: 2, patience: 2, maxMinutes: 1000 })
  t.false('stopped' in result)
})

// A limit of time.

test('a limit of time lets the first epoch be, and the run can be resumed', async (t) => {
  const unbroken = { ...tiny(), epochs: 3 }
  await train(unbroken)
  const options = { ...unbroken, output: tiny().output, maxMinutes: 1e-6 }
  t.is((await train(options)).stopped, 'maxMinutes')
  t.is((await logOf(options)).length, 1)
  t.false('stopped' in (await train({ ...options, resume: true, maxMinutes: 0 })))
  await expectSame(t, unbroken, options)
})

// The checkpoint is of the end of an epoch's training: what resuming does first is to validate that epoch, and this
// must not count as the first epoch of the call.
test('each resumption under a limit of time begins at least one epoch', async (t) => {
  const options = { ...tiny(), epochs: 3, maxMinutes: 1e-6, resume: true }
  for (const done of [1, 2, 3]) {
    await train(options)
    t.is((await logOf(options)).length, done)
  }
})

test('a limit of time begins no epoch that at the pace so far would end after it', async (t) => {
  const limit = 1.5 // seconds
  let [started, ends]: [number, number[]] = [0, []]
  const run = train({ ...tiny(), epochs: 2000, maxMinutes: limit / 60 })
  for await (const event of run) {
    if (event.type === 'start') started = performance.now()
    if (event.type === 'epoch') ends = [...ends, (performance.now() - started) / 1000]
  }
  const { stopped } = await run
  const over = (performance.now() - started) / 1000
  t.is(stopped, 'maxMinutes')
  const [slowest] = ends.map((end, i) => end - (ends[i - 1] ?? 0)).toSorted((a, b) => b - a)
  t.true(ends.length === 1 || ends.at(-1)! < limit + slowest!, `${ends}`)
  t.true((over / ends.length) * (ends.length + 1) > limit, `another would have fitted: ${ends}`)
})

// An average of the weights.

const better = (a: Metrics, b: Metrics) =>
  a.accuracy > b.accuracy || (a.accuracy === b.accuracy && a.nll < b.nll)

/** Dark faces and bright ones, easy to tell apart: of such the average is ahead at first, and then lags behind. */
const told = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ level: first + i + (i % 2 ? 130 : 0), label: i % 2 }))
const easy = levels('easy', two, { train: told(20, 24), validation: told(50, 12) })

test('the average is measured beside the weights each epoch, and the better of the two is the model', async (t) => {
  const constant = { schedule: 'constant', warmupEpochs: 0, learningRate: 1e-3 } as const
  const options = { ...tiny(), data: easy, epochs: 5, averaging: 0.98, ...constant }
  const run = train(options)
  const epochs = epochsOf(await eventsIn(run))
  t.is(epochs.length, 5)
  let best: Metrics | undefined
  const won: string[] = []
  for (const { validation, averaged, best: isBest } of epochs) {
    t.notDeepEqual(averaged, validation, 'they are two networks')
    const model = better(averaged!, validation) ? averaged! : validation
    won.push(model === averaged ? 'averaged' : 'trained')
    t.is(isBest, best === undefined || better(model, best))
    if (isBest) best = model
  }
  t.is(new Set(won).size, 2, `each of the two is the better one in some epoch: ${won}`)
  const result = await run
  t.deepEqual(result.metrics, best)
  const place = epochs.findLastIndex((event) => event.best)
  t.like(await provenanceOf(options, 'best'), { epoch: place + 1, weights: won[place] })
  t.like(await provenanceOf(options, 'last'), { epoch: 5, weights: won.at(-1) })
  // Its saved weights answer as it did when it was measured.
  const again = await evaluate(result.model, easy, { split: 'validation', precision: 'float32' })
  t.deepEqual(again.confusion, best!.confusion)
})

test('without an average none is measured', async (t) => {
  t.false(epochsOf(await eventsOf(tiny())).some((event) => 'averaged' in event))
})

for (const precision of ['float32', 'bfloat16'] as const) {
  test(`a run in ${precision} with an average, samplers and mixing, resumed again and again, ends as an unbroken one`, async (t) => {
    const options: TrainOptions = {
      ...smallRun(),
      data: [faces, { data: datasets.synthetic({ count: 21, seed: 9 }), weight: 0.5 }],
      validation: datasets.synthetic({ count: 14, seed: 10 }),
      batchSize: 16, // 42 faces and half of 21 are three steps an epoch
      epochs: 3,
      precision,
      averaging: 0.8,
      mixup: 0.4,
      cutmix: 0.4,
      labelSmoothing: 0.1,
      classBalance: 0.9,
      sampler: precision === 'float32' ? 'weighted' : 'shuffle',
    }
    await train(options)
    const broken = { ...options, output: smallRun().output, resume: true }
    // In mid-epoch, right after an epoch, before the average is measured, and at the start of the last epoch.
    await stopAt(broken, (event) => event.type === 'step' && event.step === 2)
    await stopAt(broken, (event) => event.type === 'epoch' && event.epoch === 1)
    await stopAt(
      broken,
      (event) => event.type === 'checkpoint' && event.kind === 'resume' && event.epoch === 2,
    )
    await stopAt(broken, (event) => event.type === 'step' && event.epoch === 3)
    const [start] = await eventsOf(broken)
    t.true(start!.type === 'start' && start!.resumed)
    await expectSame(t, options, broken)
    const measured = (log: readonly { averaged: Metrics }[]) => log.map(({ averaged }) => averaged)
    t.deepEqual(measured(await logOf(broken)), measured(await logOf(options)))
  })
}

// What a run must not be resumed with.

test('a weight that shows no picture of its set is refused', async (t) => {
  const few = { data: datasets.synthetic({ count: 21, seed: 9 }), weight: 0.02 }
  await t.throwsAsync(train({ ...tiny(), data: [faces, few] }), {
    code: 'ERR_INVALID_OPTION',
    message: /data\[1\]\.weight.*21 pictures.*0\.02/,
  })
})

test('another weight, other copies, or other votes are refused when resuming', async (t) => {
  const votes = join(tiny().output, '..', 'votes.csv')
  const rows = Array.from({ length: 24 }, (_, i) => `face ${i},3,3`)
  const write = (last: string) => writeFile(votes, ['file,happy,sad', ...rows.slice(0, -1), last].join('\n'))
  await write('face 23,0,5')
  const judged = datasets.withVotes(data, { file: votes, share: 0.5 })
  const options = { ...tiny(), data: [{ data: judged, weight: 1 }] }
  await train(options)
  const refuses = async (changes: Partial<TrainOptions>, pattern: RegExp) => {
    const error = await t.throwsAsync(async () => await train({ ...options, resume: true, ...changes }), {
      instanceOf: FerError,
    })
    t.is(error!.code, 'ERR_RESUME')
    t.regex(error!.message, pattern)
  }
  await refuses({ data: [{ data: judged, weight: 0.5 }] }, /the faces/)
  await refuses({ duplicates: 'keep' }, /`duplicates` was remove, is keep/)
  await refuses({ averaging: 0.5 }, /`averaging` was 0, is 0\.5/)
  await t.notThrowsAsync(async () => await train({ ...options, resume: true, patience: 5, maxMinutes: 9 }))
  await write('face 23,1,5')
  await refuses({}, /the faces/)
})
