import test from 'ava'
import type { Dataset } from '../../lib/datasets/dataset.js'
import { withoutCopies, withoutOccurring } from '../../lib/images/duplicates.js'
import { train } from '../../lib/index.js'
import type { Tensor } from '../../lib/tensor.js'
import { listFaces } from '../../lib/training/faces.js'
import { packFaces } from '../../lib/training/packed-faces.js'
import { smallRun, faces as synthetic } from '../trained.js'
import { blockOf, type Level, levels, settingsOf, spread } from '../training/levels.js'

/** A digest a picture: sixteen bytes that begin with the number given, and differ in the last two. */
function digestsOf(...pictures: readonly number[]): Uint8Array {
  const digests = new Uint8Array(16 * pictures.length).fill(200)
  pictures.forEach((picture, index) => {
    digests[16 * index + 14] = picture >> 8
    digests[16 * index + 15] = picture
  })
  return digests
}

const targetsOf = (...rows: readonly (readonly number[])[]): Tensor<'float32'> => ({
  dtype: 'float32',
  shape: [rows.length, rows[0]!.length],
  data: Float32Array.from(rows.flat()),
})

const rowsOf = ({ data, shape }: Tensor<'float32'>) =>
  Array.from({ length: shape[0]! }, (_, row) => [...data.slice(row * shape[1]!, (row + 1) * shape[1]!)])

test('of copies the first stays, with the mean of their targets, across sets', (t) => {
  const first = targetsOf([1, 0], [0, 1], [0, 1], [1, 0])
  const second = targetsOf([0.5, 0.5], [1, 0])
  const kept = withoutCopies([
    { indices: [0, 1, 2, 3], digests: digestsOf(1, 2, 1, 3), targets: first },
    { indices: [0, 1], digests: digestsOf(1, 4), targets: second },
  ])
  t.deepEqual(kept, [[0, 1, 3], [1]])
  t.deepEqual(rowsOf(first), [
    [0.5, 0.5], // of (1, 0), (0, 1) and (0.5, 0.5)
    [0, 1],
    [0, 1],
    [1, 0],
  ])
  t.deepEqual(rowsOf(second), [
    [0.5, 0.5],
    [1, 0],
  ])
})

test('what is not among the indices counts neither as a copy nor as the first', (t) => {
  const targets = targetsOf([1, 0], [0, 1], [0, 1])
  t.deepEqual(withoutCopies([{ indices: [1, 2], digests: digestsOf(1, 1, 2), targets }]), [[1, 2]])
  t.deepEqual(rowsOf(targets)[1], [0, 1])
  const seen = { indices: [1], digests: digestsOf(1, 2) }
  t.deepEqual(withoutOccurring([{ indices: [0, 1, 2], digests: digestsOf(1, 2, 2) }], [seen]), [[0]])
})

test('every byte of a digest counts, wherever it lies in a larger buffer', (t) => {
  const digests = digestsOf(1, 257, 258, 1).subarray(16) // 257 and 258 differ in the last byte alone
  const targets = targetsOf([1, 0], [1, 0], [1, 0])
  t.deepEqual(withoutCopies([{ indices: [0, 1, 2], digests, targets }]), [[0, 1, 2]])
  t.deepEqual(withoutOccurring([{ indices: [0, 1, 2], digests }], []), [[0, 1, 2]])
})

test('no set and no picture are no trouble', (t) => {
  t.deepEqual(withoutCopies([]), [])
  const none = { indices: [], digests: new Uint8Array(), targets: targetsOf([]) }
  t.deepEqual(withoutCopies([none]), [[]])
  t.deepEqual(withoutOccurring([none], [none]), [[]])
})

// Through the decoded pictures.

const classes = ['happiness', 'sadness']

async function packed(data: readonly Dataset[], given: object = {}) {
  const settings = settingsOf({ data, ...given })
  return packFaces(await listFaces(settings), settings)
}

const copied: readonly Level[] = [
  { level: 1, label: 0 },
  { level: 2, label: 1 },
  { level: 1, label: 1 },
  { level: 3, label: 0 },
]

test('copies are found among files and blocks in memory alike, and left in where that is asked for', async (t) => {
  const files = levels('files', classes, { train: copied, validation: spread(10, 1, 0, 1) })
  const block = levels('block', classes, { train: copied }, { pixels: blockOf(copied) })
  const { counts, training } = await packed([files, block])
  t.deepEqual(counts, { training: 3, validation: 2, copies: 5, leaked: 0 })
  t.deepEqual(
    training.map(({ indices }) => indices),
    [[0, 1, 3], []],
    'all of the block are copies of the files',
  )
  const kept = await packed([files, block], { duplicates: 'keep' })
  t.deepEqual(kept.counts, { training: 8, validation: 2, copies: 0, leaked: 0 })
})

test('a validation face that is also trained on is left out, though its label is another', async (t) => {
  const validation = [...spread(10, 2, 0, 1), { level: 2, label: 0 }]
  const { counts, validation: shares } = await packed([
    levels('both', classes, { train: copied, validation }),
  ])
  t.deepEqual(counts, { training: 3, validation: 4, copies: 1, leaked: 1 })
  t.deepEqual([...shares[0]!.labels], [0, 1, 0, 1])
  t.deepEqual([...shares[0]!.names], ['face 0', 'face 1', 'face 2', 'face 3'])
})

test('a held-out face that has a copy in training is left out of the validation', async (t) => {
  // Of twenty of a class two are held out; all of happiness are one picture.
  const faces = Array.from({ length: 40 }, (_, i) => ({ level: i % 2 ? i : 100, label: i % 2 }))
  const { counts } = await packed([levels('flat', classes, faces)])
  // Of 18 + 18 to train on, the 17 further copies of happiness go; so do both held out of it.
  t.deepEqual(counts, { training: 19, validation: 2, copies: 17, leaked: 2 })
})

test('where every validation face is trained on, that is an error that names the cure', async (t) => {
  const data = levels('both', classes, { train: copied, validation: [{ level: 1, label: 0 }] })
  await t.throwsAsync(packed([data]), {
    code: 'ERR_DATASET_EMPTY',
    message: /^Every validation face, 1 in all, is also trained on.*`duplicates: 'keep'`/,
  })
  t.is((await packed([data], { duplicates: 'keep' })).counts.validation, 1)
})

test('pictures of another size or number of channels are no copies, though their bytes are', async (t) => {
  const tall = levels('tall', classes, { train: spread(1, 1, 0, 1) })
  const turned: Dataset = {
    ...tall,
    open: async (split) => {
      const opened = await tall.open(split)
      const read = async () => ({
        data: new Uint8Array(2304).fill(1),
        width: 96,
        height: 24,
        channels: 1 as const,
      })
      return {
        ...opened,
        fingerprint: 'turned',
        samples: opened.samples.map((sample) => ({ ...sample, read })),
      }
    },
  }
  const validation = levels('others', classes, { validation: spread(50, 1, 0, 1) })
  const { counts } = await packed([tall, turned], { validation })
  t.deepEqual(counts, { training: 3, validation: 2, copies: 1, leaked: 0 }, 'the two turned ones are alike')
})

const small = { batchSize: 6, head: 'gap' as const }

test('a data set given twice is trained and validated on once; a set all of whose faces are left out harms nothing', async (t) => {
  const run = train({ ...smallRun(), ...small, data: [synthetic, synthetic] })
  const { metrics } = await run
  for await (const event of run)
    if (event.type === 'start')
      t.deepEqual(event.faces, { training: 42, validation: 42, copies: 42, leaked: 0 })
  t.is(metrics.samples, 42)
})

test('a validation set all of whose faces are trained on harms nothing beside another', async (t) => {
  const first = levels('first', classes, { train: spread(1, 6, 0, 1), validation: spread(1, 1, 0, 1) })
  const second = levels('second', classes, { train: spread(50, 6, 0, 1), validation: spread(100, 3, 0, 1) })
  const { metrics, model } = await train({ ...smallRun(), ...small, data: [first, second] })
  t.is(metrics.samples, 6)
  t.like(model.info.provenance, { trainingFaces: 24, validationFaces: 6, copiesLeftOut: 0, leakedLeftOut: 2 })
})

for (const sampler of ['shuffle', 'mrr', 'weighted'] as const) {
  test(`a class that is left in targets alone, its one face being a copy, trains with sampler ${sampler}`, async (t) => {
    const faces = [...spread(1, 6, 0, 1), { level: 1, label: 2 }]
    const data = levels('copied', [...classes, 'neutral'], { train: faces, validation: spread(100, 2, 0, 1) })
    const { model } = await train({ ...smallRun(), ...small, data, sampler, classBalance: 0.99 })
    t.is(model.info.classes.length, 3)
    t.is(model.info.provenance.copiesLeftOut, 1)
  })
}
