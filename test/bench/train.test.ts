import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { bench } from '../../lib/bench/bench.js'
import { Learner, withLearners } from '../../lib/bench/learner.js'
import { lessonFromFiles, lessonInMemory } from '../../lib/bench/lessons.js'
import { finders } from '../../lib/bench/programs.js'
import { forms } from '../../lib/bench/training-peers.js'
import { readHeader } from '../../lib/safetensors.js'
import { outputFolder } from '../trained.js'

const size = { imageSize: 64, batch: 4 }
const lesson = lessonInMemory(size, 'float32')

test('every learner begins with the same weights, and learns', async (t) => {
  await withLearners([lesson, lesson], async ([one, other]) => {
    const first = await one!.learn(1)
    t.is(await other!.learn(1), first)
    t.true((await one!.learn(9)) < first)
  })
})

test('steps of one turn share a time, which is that of one of them', async (t) => {
  using learner = await Learner.make(lesson)
  const started = performance.now()
  const times = await learner.run(4)
  t.is(times.length, 1)
  t.true(4 * times[0]! <= performance.now() - started)
})

test('learners are disposed of whatever happens to their use', async (t) => {
  const disposed: number[] = []
  const use = async (learners: readonly Learner[]) => {
    for (const [i, learner] of learners.entries()) {
      const dispose = learner[Symbol.dispose].bind(learner)
      learner[Symbol.dispose] = () => {
        disposed.push(i)
        dispose()
      }
    }
    throw new Error('in the middle')
  }
  await t.throwsAsync(withLearners([lesson, lesson], use), { message: 'in the middle' })
  t.deepEqual(disposed, [0, 1])
})

test('a lesson from files is decoded into its folder, every picture in the size that it has', async (t) => {
  const folder = outputFolder()
  using learner = await Learner.make(await lessonFromFiles(size, 'float32', 2, folder))
  t.true(Number.isFinite(await learner.learn(3)), 'beyond the first two batches')
  const pack = (await readdir(folder)).find((name) => name.endsWith('.safetensors'))!
  const { tensors } = await readHeader(join(folder, pack))
  const { shape } = tensors.find(({ name }) => name === 'pixels')!
  t.deepEqual(shape, [8, 80, 80, 3], 'two batches of 4, of 1.25 times 64 pixels')
})

test('PyTorch trains the same network in every form, and each has its rows', async (t) => {
  if ('missing' in (await finders.PyTorch({}))) return t.pass('no Python here has torch')
  const { rows } = await bench({ suites: ['train'], quick: true })
  const found = (form: string) => rows.filter(({ name }) => name === `train, 112 pixels vs PyTorch ${form}`)
  for (const { peerVersion, ratio } of forms.flatMap(found)) {
    t.regex(peerVersion!, /^PyTorch \d/)
    t.true(ratio! > 0)
  }
  t.true(found('official float32').length > 0)
  t.true(found('tuned float32').length > 0)
  const peaks = rows.filter(({ name }) => name === 'train, peak resident memory')
  // More than weights and the optimizer's memory of them: three times 11.2 million float32.
  t.true(peaks.every(({ unit, ours }) => unit === 'MB' && ours > 134))
  t.is(peaks.length, 1)
})
