import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { datasets, FerError, Model, type TrainEvent, type TrainOptions, train } from '../lib/index.js'
import { resumeCampaign } from './campaigns/resume.js'
import { putTogether, takeApart } from './safetensors-file.js'
import { smallRun } from './trained.js'

/** Trains until an epoch or step has come, then aborts; the events up to then. */
async function stopAt(options: TrainOptions, isPlace: (event: TrainEvent) => boolean): Promise<TrainEvent[]> {
  const controller = new AbortController()
  const events: TrainEvent[] = []
  try {
    for await (const event of train({ ...options, signal: controller.signal })) {
      events.push(event)
      if (isPlace(event)) controller.abort()
    }
  } catch (error) {
    if (!controller.signal.aborted) throw error
  }
  return events
}

async function eventsOf(options: TrainOptions): Promise<TrainEvent[]> {
  const events: TrainEvent[] = []
  for await (const event of train(options)) events.push(event)
  return events
}

const bytesOf = (options: TrainOptions, name: string) => readFile(join(options.output, name))

async function expectSame(t: import('ava').ExecutionContext, a: TrainOptions, b: TrainOptions) {
  for (const name of ['best.safetensors', 'last.safetensors'])
    t.true((await bytesOf(a, name)).equals(await bytesOf(b, name)), name)
}

test('a process killed at random instants and resumed ends with the same weights, to the bit', async (t) => {
  const result = await resumeCampaign({ times: 3, seed: 4, options: {} })
  t.deepEqual(result.differences, [])
  t.is(result.kills, 3)
})

for (const precision of ['float32', 'bfloat16'] as const) {
  test(`an aborted run in ${precision}, resumed again and again, ends as an unbroken one`, async (t) => {
    const options = { ...smallRun(), batchSize: 6, epochs: 3, precision, optimizer: 'sgd' as const }
    await train(options)
    const broken = { ...options, ...{ output: smallRun().output }, resume: true }
    // In mid-epoch, right after an epoch, while validating, and at the very start of the last epoch.
    await stopAt(broken, (event) => event.type === 'step' && event.step === 3)
    await stopAt(broken, (event) => event.type === 'epoch' && event.epoch === 1)
    await stopAt(broken, (event) => event.type === 'checkpoint' && event.kind === 'resume')
    await stopAt(broken, (event) => event.type === 'step' && event.epoch === 3)
    const [start] = await eventsOf(broken)
    t.true(start!.type === 'start' && start!.resumed)
    await expectSame(t, options, broken)
    const log = (await bytesOf(broken, 'log.jsonl')).toString().trim().split('\n')
    t.deepEqual(
      log.map((line) => JSON.parse(line).epoch),
      [1, 2, 3],
    )
  })
}

test('resume without a checkpoint starts from the beginning and says so', async (t) => {
  const [start] = await eventsOf({ ...smallRun(), resume: true })
  t.like(start, { type: 'start', resumed: false, step: 0, epoch: 1 })
  t.is((await eventsOf(smallRun()))[0]!.type, 'start')
})

test('a checkpoint is written as often as asked for, and says where it stands', async (t) => {
  const often = await eventsOf({ ...smallRun(), batchSize: 7, checkpointMinutes: 0 })
  const kept = often.filter((event) => event.type === 'checkpoint' && event.kind === 'resume')
  t.is(kept.length, 6, 'after each of the six steps of 7 of 42 faces')
  const seldom = await eventsOf({ ...smallRun(), batchSize: 7 })
  t.is(seldom.filter((event) => event.type === 'checkpoint' && event.kind === 'resume').length, 1)
})

test('resuming a finished run answers with its result again, and with more epochs goes on', async (t) => {
  const options = { ...smallRun(), epochs: 2, schedule: 'constant' as const, warmupEpochs: 0 }
  const first = await train(options)
  const before = await bytesOf(options, 'best.safetensors')
  const again = await train({ ...options, resume: true })
  t.deepEqual(again.metrics, first.metrics)
  t.deepEqual(again.best, first.best)
  t.true(before.equals(await bytesOf(options, 'best.safetensors')))

  const whole = { ...options, output: smallRun().output, epochs: 4 }
  await train(whole)
  await train({ ...options, epochs: 4, resume: true })
  await expectSame(t, whole, options)
})

test('a run that was given more epochs can be resumed again, with everything else left to the defaults', async (t) => {
  const options = { ...smallRun(), epochs: 1 }
  await train(options)
  const longer = { ...options, epochs: 3, resume: true }
  await stopAt(longer, (event) => event.type === 'step' && event.epoch === 2)
  const { model } = await train(longer)
  // The warm-up stays what one epoch derived, a twentieth of it.
  t.like(model.info.provenance.options, { epochs: 3, warmupEpochs: 0.05 })
})

test('a run whose checkpoint is gone is not begun anew over its models', async (t) => {
  const options = smallRun()
  await train(options)
  await rm(join(options.output, 'checkpoint.safetensors'))
  const before = await bytesOf(options, 'best.safetensors')
  const error = await t.throwsAsync(async () => await train({ ...options, resume: true }), {
    instanceOf: FerError,
  })
  t.is(error!.code, 'ERR_OUTPUT_EXISTS')
  t.regex(error!.message, /without a checkpoint to go on from/)
  t.true(before.equals(await bytesOf(options, 'best.safetensors')))
})

test('a run aborted right after an epoch keeps the measured model of that epoch as `last`', async (t) => {
  const options = { ...smallRun(), epochs: 1000 }
  await stopAt(options, (event) => event.type === 'epoch')
  const { provenance } = (await Model.load(join(options.output, 'last.safetensors'))).info
  t.true(provenance.complete === true || (provenance.epoch as number) > 1, 'or a step of the next was taken')
})

test('other options or faces than the run was begun with are refused, each difference named', async (t) => {
  const options = { ...smallRun(), epochs: 2 }
  await train(options)
  const refuses = async (changes: Partial<TrainOptions>, pattern: RegExp) => {
    const error = await t.throwsAsync(async () => await train({ ...options, resume: true, ...changes }), {
      instanceOf: FerError,
    })
    t.is(error!.code, 'ERR_RESUME')
    t.regex(error!.message, pattern)
  }
  await refuses(
    { learningRate: 0.5, batchSize: 14, augmentation: { flip: 0 } },
    /`batchSize` was 21, is 14; `learningRate` was 0.001, is 0.5; `augmentation.flip` was 0.5, is 0/,
  )
  await refuses({ epochs: 1 }, /begun with 2 epochs.*now 1, may only grow/)
  await refuses({ data: datasets.synthetic({ count: 42, seed: 6 }) }, /the faces/)
  await t.notThrowsAsync(
    async () => await train({ ...options, resume: true, checkpointMinutes: 1, batchSize: 21 }),
    'what is given anew with the same value is no difference',
  )
})

test('a damaged checkpoint is refused by name and left where it is', async (t) => {
  const options = { ...smallRun(), resume: true }
  await train(options)
  const path = join(options.output, 'checkpoint.safetensors')
  const whole = await readFile(path)
  for (const damaged of [
    whole.subarray(0, whole.length / 2),
    Buffer.alloc(0),
    await bytesOf(options, 'best.safetensors'),
  ]) {
    await writeFile(path, damaged)
    const error = await t.throwsAsync(async () => await train(options), { instanceOf: FerError })
    t.is(error!.code, 'ERR_BAD_MODEL')
    t.true(error!.message.includes(path))
    t.true(damaged.equals(await readFile(path)))
  }
})

test('a checkpoint whose header was tampered with is refused field by field, and never crashes', async (t) => {
  const options = { ...smallRun(), resume: true }
  await train(options)
  const path = join(options.output, 'checkpoint.safetensors')
  const { header, data } = await takeApart(path)
  const run = JSON.parse(header.__metadata__!.run!)
  const refuses = async (changed: unknown, pattern: RegExp) => {
    const text = typeof changed === 'string' ? changed : JSON.stringify(changed)
    await putTogether(path, { ...header, __metadata__: { ...header.__metadata__, run: text } } as never, data)
    const error = await t.throwsAsync(async () => await train(options), { instanceOf: FerError })
    t.is(error!.code, 'ERR_BAD_MODEL')
    t.regex(error!.message, pattern)
    t.true(error!.message.includes(path))
  }
  await refuses('{', /not a checkpoint/)
  await refuses('null', /an object/)
  await refuses({}, /progress/)
  await refuses({ ...run, more: 1 }, /`more`/)
  await refuses({ ...run, progress: { ...run.progress, step: -1 } }, /`progress\.step`/)
  await refuses({ ...run, progress: { ...run.progress, step: 1 } }, /1 steps do not fit 0 epochs of 2/)
  const logged = (entry: object) => ({ ...run, progress: { ...run.progress, log: [entry] } })
  await refuses(logged({}), /`progress\.log\[0\]\.epoch`/)
  await refuses(logged({ epoch: 1 }), /`progress\.log\[0\]\.validation`/)
  const measured = { epoch: 1, validation: { accuracy: 0.5, nll: 1 } }
  await refuses(logged({ ...measured, averaged: { accuracy: 0.5 } }), /`progress\.log\[0\]\.averaged\.nll`/)
  await refuses(
    { ...run, provenance: { versions: {}, options: { epochs: 1, x: { y: { z: 1 } } } } },
    /options/,
  )
  await refuses(`{"progress":${'['.repeat(100_000)}${']'.repeat(100_000)}}`, /progress/)
})

test('two processes cannot go on with one run at a time', async (t) => {
  const options = { ...smallRun(), resume: true }
  const both = await Promise.allSettled([train(options), train(options)])
  t.deepEqual(both.map((run) => run.status).toSorted(), ['fulfilled', 'rejected'])
  t.regex(both.find((run) => run.status === 'rejected')!.reason.message, /Another run is writing/)
})

// A temporary that is a link to /dev/full: every write to it fails as on a full disk.
for (const name of [
  'checkpoint.safetensors',
  'best.safetensors',
  'last.safetensors',
  'log.jsonl',
  'metrics.json',
]) {
  test(`a disk that fills up while ${name} is written ends the run and leaves the last checkpoint whole`, async (t) => {
    const options = { ...smallRun(), epochs: 2, batchSize: 7 }
    const unbroken = { ...options, output: smallRun().output }
    await train(unbroken)
    // `best` is written for certain only in the first epoch; before it there is no earlier checkpoint to keep.
    const place = name.startsWith('checkpoint') ? 'epoch' : 'step'
    const watched = async () => {
      let placed = false
      for await (const event of train(options)) {
        if (placed || event.type !== place) continue
        placed = true
        await symlink('/dev/full', join(options.output, `${name}.tmp`))
      }
    }
    const error = await t.throwsAsync(watched, { instanceOf: FerError })
    t.is(error!.code, 'ERR_OUTPUT')
    t.regex(error!.message, /no space left on device/i)
    t.true(error!.message.includes(name))
    await train({ ...options, resume: true })
    await expectSame(t, unbroken, options)
  })
}

test('an output folder that cannot be made or written is refused before anything is decoded', async (t) => {
  const { output } = smallRun()
  await mkdir(join(output, '..'), { recursive: true })
  await writeFile(output, 'a file')
  for (const folder of [join(output, 'run'), '/proc/no/run', '/dev/null']) {
    const error = await t.throwsAsync(async () => await train({ ...smallRun(), output: folder }), {
      instanceOf: FerError,
    })
    t.is(error!.code, 'ERR_OUTPUT', folder)
  }
  const deep = join(smallRun().output, 'a', 'b', 'c')
  t.is((await train({ ...smallRun(), output: deep })).best.path, join(deep, 'best.safetensors'))
})

test('a loss that is no number stops the run, says at which step and why, and keeps the last good checkpoint', async (t) => {
  const options = {
    ...smallRun(),
    epochs: 50,
    optimizer: 'sgd' as const,
    learningRate: 100,
    checkpointMinutes: 0,
    batchSize: 7,
  }
  const error = await t.throwsAsync(async () => await train(options), { instanceOf: FerError })
  t.is(error!.code, 'ERR_DIVERGED')
  t.regex(error!.message, /step \d+.*lower `learningRate`/)
  const kept = join(options.output, 'checkpoint.safetensors')
  const bytes = await readFile(kept)
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString())
  const { progress } = JSON.parse(header.__metadata__.run)
  const failed = Number(/step (\d+)/.exec(error!.message)![1])
  t.true(progress.step < failed, `the checkpoint is of step ${progress.step}, the failure of ${failed}`)
  t.true(Number.isFinite(progress.epoch.loss))
  const model = await Model.load(join(options.output, 'last.safetensors')).catch(() => undefined)
  model?.dispose()
})
