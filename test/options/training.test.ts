import test from 'ava'
import { datasets, FerError, type TrainOptions } from '../../lib/index.js'
import { readTrainOptions } from '../../lib/options/training.js'

const faces = datasets.synthetic({ count: 7 })
const read = (given: object = {}) => readTrainOptions({ data: faces, output: 'never', ...given })

test('what was added is off unless asked for, but that copies are left out', (t) => {
  t.like(read(), {
    duplicates: 'remove',
    patience: 0,
    maxMinutes: 0,
    averaging: 0,
    sharpness: 0,
    sampler: 'shuffle',
    classLimit: 0,
    mixup: 0,
    cutmix: 0,
    focalGamma: 0,
    classBalance: 0,
    labelSmoothing: 0,
  })
})

const refused: readonly (readonly [options: object, message: RegExp])[] = [
  [{ duplicates: 'removed' }, /`duplicates` to be one of remove, keep \(did you mean `remove`\?\)/],
  [{ duplicates: true }, /`duplicates`/],
  [{ patience: -1 }, /`patience` to be an integer from 0/],
  [{ patience: 0.5 }, /`patience`/],
  [{ maxMinutes: Number.NaN }, /`maxMinutes` to be a number from 0/],
  [{ maxMinutes: Number.POSITIVE_INFINITY }, /`maxMinutes`/],
  [{ maxMinutes: '5' }, /`maxMinutes` .*got `5` \(string\)/],
  [{ averaging: 1 }, /`averaging` to be a number from 0 to 0\.999999/],
  [{ averaging: -0.1 }, /`averaging`/],
  [{ sharpness: 11 }, /`sharpness`/],
  [{ sampler: 'weigthed' }, /did you mean `weighted`/],
  [{ classLimit: 1.5 }, /`classLimit` to be an integer/],
  [{ mixup: 2 }, /`mixup` to be a number from 0 to 1/],
  [{ cutmix: -1 }, /`cutmix`/],
  [{ focalGamma: 11 }, /`focalGamma`/],
  [{ classBalance: 1 }, /`classBalance`/],
  [{ labelSmoothing: 1 }, /`labelSmoothing`/],
  [{ augmentation: { coarsen: 2 } }, /`augmentation\.coarsen` to be a number from 0 to 1/],
  [{ augmentation: { coarsenSmallest: 0 } }, /`augmentation\.coarsenSmallest` to be a number from 0\.01/],
  [{ data: [] }, /`data` to be at least one data set, got an array/],
  [{ data: [faces, 'folder:x'] }, /`data\[1\]` to be an object, got `folder:x`/],
  [{ data: [undefined] }, /`data\[0\]` to be an object, got `undefined`/],
  [{ data: new Array(2) }, /`data\[0\]` to be an object, got `undefined`/],
  [{ data: [[faces]] }, /`data\[0\]` to be an object, got an array/],
  [{ data: [{ weight: 1 }] }, /`data\[0\]\.data` to be a data set/],
  [{ data: { data: faces, weight: 1 } }, /`data` to be a data set/],
  [{ data: [{ data: faces, weight: 0 }] }, /`data\[0\]\.weight` to be a number from 0\.001 to 1000/],
  [{ data: [{ data: faces, weight: Number.NaN }] }, /`data\[0\]\.weight`/],
  [{ data: [{ data: faces, wieght: 2 }] }, /`data\[0\]\.wieght`.*did you mean `weight`/],
]

test('what does not fit is refused, naming the field', (t) => {
  for (const [options, message] of refused) t.throws(() => read(options), { instanceOf: FerError, message })
})

test('data sets come one or several, with a weight of 1 unless given', (t) => {
  const weights = (data: TrainOptions['data']) => read({ data }).data.map(({ weight }) => weight)
  t.deepEqual(weights(faces), [1])
  t.deepEqual(weights([faces, { data: faces }, { data: faces, weight: 0.25 }]), [1, 1, 0.25])
  t.is(read({ data: [{ data: faces }] }).data[0]!.data, faces)
})
