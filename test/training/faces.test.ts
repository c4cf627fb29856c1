import test from 'ava'
import type { Dataset, Split } from '../../lib/datasets/dataset.js'
import { datasets, train } from '../../lib/index.js'
import type { ImageSet } from '../../lib/native.js'
import { balancedWeights } from '../../lib/training/class-weights.js'
import { listFaces } from '../../lib/training/faces.js'
import { targetsOf } from '../../lib/training/targets.js'
import { smallRun } from '../trained.js'
import { type Level, levels, settingsOf, spread } from './levels.js'

const list = (data: unknown, given: object = {}) => listFaces(settingsOf({ data, ...given }))

const two = ['happiness', 'sadness']
const flat = (name: string, classes: readonly string[], faces: readonly Level[]) =>
  levels(name, classes, faces)

test('the classes of several data sets are those of all, in canonical order, and labels follow', async (t) => {
  const a = flat('a', ['sadness', 'neutral'], spread(0, 10, 0, 1))
  const b = flat('b', ['fear', 'sadness'], spread(50, 10, 0, 1))
  const { classes, training } = await list([a, b])
  t.deepEqual([...classes], ['fear', 'sadness', 'neutral'])
  t.deepEqual([...training[0]!.labels.slice(0, 2)], [1, 2])
  t.deepEqual([...training[1]!.labels.slice(0, 2)], [0, 1])
})

test('a set whose classes the first has too leaves the order of the first alone', async (t) => {
  const a = flat('a', ['sadness', 'fear'], spread(0, 4, 0, 1))
  const { classes } = await list([a, flat('b', ['fear'], spread(50, 4, 0))])
  t.deepEqual([...classes], ['sadness', 'fear'])
})

test('other names than expressions come as they come, and one class under two names is refused', async (t) => {
  const a = flat('a', ['Happy', 'smirk'], spread(0, 4, 0, 1))
  const b = flat('b', ['smirk', 'wink'], spread(50, 4, 0, 1))
  t.deepEqual([...(await list([a, b])).classes], ['Happy', 'smirk', 'wink'])
  const c = flat('c', two, spread(80, 4, 0, 1))
  await t.throwsAsync(list([a, c]), {
    code: 'ERR_CLASS_MISMATCH',
    message: /call one class `Happy` and `happiness`.*datasets\.mapClasses/,
  })
  t.deepEqual([...(await list([datasets.mapClasses(a, {}), c])).classes], ['happiness', 'smirk', 'sadness'])
})

test('a class that no training face has is refused by name, unless targets have a part of it', async (t) => {
  const classes = [...two, 'contempt']
  const faces = spread(0, 4, 0, 1)
  await t.throwsAsync(list(flat('a', classes, faces)), {
    code: 'ERR_DATASET_EMPTY',
    message:
      /no training face of the class contempt, which the model would never learn.*datasets\.mapClasses/,
  })
  const none = faces.map((face) => ({ ...face, target: face.label ? [0, 1, 0] : [1, 0, 0] }))
  await t.throwsAsync(list(flat('a', classes, none)), { code: 'ERR_DATASET_EMPTY' })
  const part = [...none, { level: 99, label: 0, target: [0.75, 0, 0.25] }]
  t.deepEqual([...(await list(flat('a', classes, part))).classes], classes)
  const elsewhere = flat('b', ['contempt'], spread(50, 2, 0))
  t.is((await list([flat('a', classes, faces), elsewhere])).classes.length, 3)
  const { classes: mapped } = await list(datasets.mapClasses(flat('a', classes, faces), { contempt: null }))
  t.deepEqual([...mapped], two)
})

test('a tenth of each class of each set is held out, by the seed, and the rest trained on at its weight', async (t) => {
  const a = flat('a', two, spread(0, 20, 0, 1))
  const b = flat('b', two, spread(100, 10, 0, 1))
  const { training, validation, validatedOn } = await list([a, { data: b, weight: 0.5 }])
  t.deepEqual(
    training.map(({ indices, weight }) => [indices.length, weight]),
    [
      [36, 1],
      [18, 0.5],
    ],
  )
  t.is(validatedOn, 'a held-out tenth of the training faces')
  for (const [i, { indices, labels }] of validation.entries()) {
    const held = indices.map((index) => labels[index])
    t.deepEqual(held.toSorted(), i === 0 ? [0, 0, 1, 1] : [0, 1])
    t.deepEqual(
      [...indices, ...training[i]!.indices].toSorted((x, y) => x - y),
      [...labels.keys()],
    )
  }
  const indicesOf = async (seed: number) => (await list(a, { seed })).validation[0]!.indices
  t.deepEqual(await indicesOf(1), await indicesOf(1))
  t.notDeepEqual(await indicesOf(1), await indicesOf(2))
})

test('of several sets those that have a validation split are validated on, and nothing is held out', async (t) => {
  const a = levels('a', two, { train: spread(0, 4, 0, 1), validation: spread(20, 2, 0, 1) })
  const b = flat('b', two, spread(50, 4, 0, 1))
  const c = levels('c', two, { train: spread(80, 4, 0, 1), test: spread(90, 4, 0, 1) })
  const { training, validation, validatedOn } = await list([a, b, c])
  t.deepEqual(
    training.map(({ indices }) => indices.length),
    [8, 8, 8],
  )
  t.deepEqual(
    validation.map(({ indices }) => indices.length),
    [4],
  )
  t.is(validatedOn, 'a, validation split')
})

test('a validation set that is one of those trained on is refused, whichever it is', async (t) => {
  const a = levels('a', two, { train: spread(0, 4, 0, 1) })
  const b = flat('b', two, spread(50, 4, 0, 1))
  await t.throwsAsync(list([a, { data: b, weight: 2 }], { validation: b }), {
    message: /other faces .*got `b` for both/,
  })
})

test('validation faces of a class that no training set has are refused', async (t) => {
  const validation = flat('b', [...two, 'fear'], spread(50, 4, 0, 1, 2))
  await t.throwsAsync(list(flat('a', two, spread(0, 4, 0, 1)), { validation }), {
    code: 'ERR_CLASS_MISMATCH',
  })
  const fewer = flat('c', ['sadness', 'fear'], spread(50, 4, 0)) // knows fear, has none
  t.deepEqual(
    [...(await list(flat('a', two, spread(0, 4, 0, 1)), { validation: fewer })).validation[0]!.labels],
    [1, 1, 1, 1],
  )
})

test('an empty set among several is refused by name', async (t) => {
  const a = flat('a', two, spread(0, 4, 0, 1))
  await t.throwsAsync(list([a, flat('none', two, [])]), {
    code: 'ERR_DATASET_EMPTY',
    message: /`none` has no training faces/,
  })
})

test('faces too few to hold some out are refused', async (t) => {
  await t.throwsAsync(list(flat('a', two, spread(0, 1, 0, 1))), {
    code: 'ERR_DATASET_EMPTY',
    message: /too few training faces to hold some out/,
  })
})

test('one set in colour makes the model one for colour', async (t) => {
  const grey = flat('a', two, spread(0, 4, 0, 1))
  t.is((await list(grey)).color, 'grey')
  const color = levels('b', two, spread(50, 4, 0, 1), { color: 'rgb' })
  t.is((await list([grey, color])).color, 'rgb')
  t.is((await list([grey, color], { color: 'grey' })).color, 'grey')
})

// Targets.

const splitOf = (data: Dataset): Promise<Split> => data.open('train')

test('a target is a row over the classes of the training, or all of it on the label', async (t) => {
  const data = flat(
    'a',
    ['fear', 'happiness'],
    [
      { level: 1, label: 1 },
      { level: 2, label: 0, target: [0.75, 0.25] },
    ],
  )
  const { shape, data: rows } = targetsOf(await splitOf(data), Int32Array.of(2, 1), [
    'anger',
    'fear',
    'happiness',
  ])
  t.deepEqual([...shape], [2, 3])
  t.deepEqual([...(rows as Float32Array)], [0, 0, 1, 0, 0.75, 0.25])
})

for (const [what, target] of [
  ['that sums to more than 1', [0.75, 0.75]],
  ['of votes instead of shares', [4, 3]],
  ['of nothing', [0, 0]],
  ['with a negative part', [1.5, -0.5]],
  ['with a part that is no number', [Number.NaN, 1]],
  ['with an infinite part', [Number.POSITIVE_INFINITY, 0]],
  ['with a part too few', [1]],
  ['with a part too many', [0.5, 0.25, 0.25]],
  ['with a part that is missing', [1, undefined]],
] as const) {
  test(`a target ${what} is refused, by the name of the face`, async (t) => {
    const faces = [...spread(0, 2, 0, 1), { level: 9, label: 0, target: target as unknown as number[] }]
    const data = levels('a', two, { train: faces, validation: spread(50, 1, 0, 1) })
    await t.throwsAsync(async () => await train({ ...smallRun(), data }), {
      code: 'ERR_BAD_DATA',
      message: /^The target of `face 4` is no distribution over the 2 classes of its data set/,
    })
  })
}

// Weights of the class-balanced loss.

const shareOf = (indices: readonly number[]) => ({
  images: undefined as unknown as ImageSet,
  indices,
  weight: 1,
})

async function weights(data: readonly Dataset[], beta: number, indices?: readonly (readonly number[])[]) {
  const faces = await list(data)
  const all = faces.training.map(({ labels }) => [...labels.keys()])
  return [...(balancedWeights(faces, (indices ?? all).map(shareOf), beta).data as Float32Array)]
}

const near = (actual: readonly number[], expected: readonly number[], difference = 1e-6) =>
  actual.length === expected.length && actual.every((value, i) => Math.abs(value - expected[i]!) < difference)

test('classes are weighted by 1 / (1 - beta^n), 1 in the mean', async (t) => {
  const data = flat('a', two, [...spread(0, 3, 0), ...spread(50, 1, 1)])
  // 1 / (1 - 0.5^3) = 8/7 and 1 / (1 - 0.5) = 2, whose mean is 11/7.
  t.true(near(await weights([data], 0.5), [8 / 11, 14 / 11]))
  t.true(near(await weights([data], 0.999999), [0.5, 1.5]), 'near 1 it is by 1 / n: 1/3 and 1')
})

test('faces of several sets are counted together, those left out are not', async (t) => {
  const a = flat('a', two, spread(0, 2, 0, 1))
  const b = flat('b', ['sadness', 'happiness'], spread(50, 1, 0, 1))
  t.true(near(await weights([a, b], 0.5), [1, 1]))
  // Without the first of `a` and the second of `b`, both happiness, one face of it is left of four.
  t.true(near(await weights([a, b], 0.999999, [[1, 2, 3], [0]]), [1.5, 0.5]))
})

test('a target counts in parts, and one of less than a picture in all weighs as one picture', async (t) => {
  const faces = [
    { level: 1, label: 0, target: [0.5, 0.5, 0] },
    { level: 2, label: 0, target: [1, 0, 0] },
    { level: 3, label: 1, target: [0.5, 0.499, 0.001] },
    { level: 4, label: 1, target: [0, 1, 0] },
  ]
  const data = flat('a', [...two, 'neutral'], faces)
  // 2 pictures of happiness, 1.999 of sadness, 0.001 of neutral, which count as 1: 4/3, 4/3 and 2, whose mean is 14/9.
  t.true(near(await weights([data], 0.5), [6 / 7, 6 / 7, 9 / 7], 1e-3))
})

test('a class of no picture at all has weight 0, and the others are finite', async (t) => {
  const data = flat('a', two, spread(0, 2, 0, 1))
  t.deepEqual(await weights([data], 0.9, [[0, 2]]), [2, 0])
})
