import test from 'ava'
import { type PixelTensor, tensors } from '../../lib/datasets/tensors.js'

// Two faces of 2 x 3 pixels, three channels: 36 bytes, counted through.
const data = () => Uint8Array.from({ length: 36 }, (_, index) => index)
const pixels = (overrides: Partial<PixelTensor> = {}): PixelTensor => ({
  dtype: 'uint8',
  shape: [2, 2, 3, 3],
  data: data(),
  ...overrides,
})
const source = { pixels: pixels(), labels: [0, 1], classes: ['happy', 'sad'] }

test('the pixels are the very array given, and samples are views over it', async (t) => {
  const bytes = data()
  const split = await tensors({ ...source, pixels: pixels({ data: bytes }) }).open('train')
  t.is(split.pixels!.data, bytes)
  t.deepEqual([...split.pixels!.shape], [2, 2, 3, 3])
  const picture = await split.samples[1]!.read()
  t.is(picture.data.buffer, bytes.buffer)
  t.deepEqual([picture.width, picture.height, picture.channels], [3, 2, 3])
  t.deepEqual([...picture.data.subarray(0, 3)], [18, 19, 20]) // face 1 begins at 2 * 3 * 3 = 18
})

test('an array that is itself a view keeps its place in the buffer', async (t) => {
  const bytes = new Uint8Array(100).subarray(10, 46)
  const split = await tensors({ ...source, pixels: pixels({ data: bytes }) }).open('train')
  t.is((await split.samples[1]!.read()).data.byteOffset, 28) // 10 + 18
})

test('it is one flat split that answers any', async (t) => {
  const data = tensors(source)
  t.deepEqual(await data.splits(), [])
  for (const name of ['train', 'validation', 'test'] as const) t.is((await data.open(name)).samples.length, 2)
})

test('classes are listed in canonical order and the labels follow them', async (t) => {
  const split = await tensors({ ...source, classes: ['Angry', 'surprised', 'fear'], labels: [0, 1] }).open(
    'train',
  )
  t.deepEqual([...split.classes], ['surprise', 'fear', 'anger'])
  t.deepEqual(
    split.samples.map(({ label }) => label),
    [2, 0],
  )
})

test('one channel is grey and three are rgb', async (t) => {
  t.is((await tensors(source).open('train')).color, 'rgb')
  const grey = pixels({ shape: [2, 6, 3, 1] })
  t.is((await tensors({ ...source, pixels: grey }).open('train')).color, 'grey')
})

test('labels may be any typed array of integers, and pixels a Buffer', async (t) => {
  for (const labels of [Uint8Array.of(0, 1), Int32Array.of(0, 1), Float32Array.of(0, 1)]) {
    const buffered = pixels({ data: Buffer.from(data()) })
    const split = await tensors({ ...source, labels, pixels: buffered }).open('train')
    t.deepEqual(
      split.samples.map(({ label }) => label),
      [0, 1],
    )
  }
})

test('the fingerprint follows pixels, labels and shape', async (t) => {
  const fingerprint = async (given: Partial<typeof source>) =>
    (await tensors({ ...source, ...given }).open('train')).fingerprint
  const changed = data()
  changed[35] = 99
  const all = await Promise.all([
    fingerprint({}),
    fingerprint({ pixels: pixels({ data: changed }) }),
    fingerprint({ labels: [1, 0] }),
    fingerprint({ pixels: pixels({ shape: [2, 3, 2, 3] }) }),
  ])
  t.is(new Set(all).size, 4)
  t.is(await fingerprint({}), all[0])
})

test('what does not fit together is refused at once, naming the field', (t) => {
  const refused = (given: object, message: RegExp, code = 'ERR_INVALID_OPTION') =>
    t.throws(() => tensors({ ...source, ...given }), { code, message })
  refused({ pixels: pixels({ data: new Uint8Array(35) }) }, /`pixels\.data` to be 36 bytes.*got `35`/)
  refused({ pixels: pixels({ shape: [2, 3, 3, 2] }) }, /`pixels\.shape` to be .*1 or 3/)
  refused({ pixels: pixels({ shape: [36] }) }, /`pixels\.shape`/)
  refused(
    { pixels: pixels({ shape: [0, 2, 3, 3], data: new Uint8Array(0) }), labels: [] },
    /`pixels\.shape`.*above 0/,
  )
  refused({ pixels: { ...pixels(), dtype: 'float32' } }, /`pixels` to be a uint8 tensor/)
  refused({ pixels: { ...pixels(), data: new Float32Array(36) } }, /over a Uint8Array/)
  refused({ labels: [0] }, /`labels` to be 2 labels, one a face, got `1`/)
  refused({ classes: [] }, /`classes` to be a list of at least one expression/)
  refused(
    { classes: ['happy', 'happiness'] },
    /`classes\[1\]` to be a class not named before, got `happiness`/,
  )
})

test('a label out of range or an unknown class is refused at once, with its place', (t) => {
  const refused = (given: object, message: RegExp) =>
    t.throws(() => tensors({ ...source, ...given }), { code: 'ERR_UNKNOWN_CLASS', message })
  refused({ labels: [0, 2] }, /`labels\[1\]` to be an integer from 0 to 1, .*got `2` \(number\)/)
  refused({ labels: [-1, 0] }, /`labels\[0\]`/)
  refused({ labels: [0.5, 0] }, /`labels\[0\]`.*`0\.5`/)
  refused({ labels: [Number.NaN, 0] }, /`labels\[0\]`.*`NaN`/)
  refused({ labels: BigInt64Array.of(0n, 1n) }, /`labels\[0\]`.*\(bigint\)/)
  refused({ classes: ['happy', 'ecstatic'] }, /`classes\[1\]`, `ecstatic`, is not a known expression/)
})
