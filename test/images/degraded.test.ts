import test from 'ava'
import type { Picture, Split } from '../../lib/datasets/dataset.js'
import { degradations, type PictureKind } from '../../lib/images/degradations.js'
import { degraded, observed, someOf } from '../../lib/images/degraded.js'

const pictureOf = (width: number, height: number, channels: 1 | 3 = 3): Picture => ({
  width,
  height,
  channels,
  data: Uint8Array.from({ length: width * height * channels }, (_, i) => (i * 37 + (i >> 5) * 11) % 256),
})

const splitOf = (...pictures: readonly Picture[]): Split => ({
  classes: ['happiness', 'sadness'],
  color: 'rgb',
  fingerprint: 'some',
  samples: pictures.map((picture, i) => ({ name: `${i}.png`, label: i % 2, read: async () => picture })),
})

const named = (kind: string, level: number | string) =>
  degradations.find((degradation) => degradation.kind === kind && degradation.level === level)!

const readAll = ({ samples }: Split) => Promise.all(samples.map(({ read }) => read()))

test('a resolution at or above that of the picture leaves it as it is, to the level', async (t) => {
  const upright = pictureOf(50, 64)
  for (const { kind, level } of degradations.filter(({ kind }) => kind === 'resolution')) {
    const [read] = await readAll(degraded(splitOf(upright), named(kind, level), 0))
    if ((level as number) >= 64) t.is(read, upright, `${level}`)
    else t.deepEqual([read!.width, read!.height], [Math.round((50 * (level as number)) / 64), level])
  }
})

test('grey faces keep what is done to colours', async (t) => {
  const grey = pictureOf(20, 20, 1)
  for (const degradation of degradations.filter(({ kind }) => kind === 'saturation' || kind === 'tint'))
    t.is((await readAll(degraded(splitOf(grey), degradation, 0)))[0], grey)
})

test('the same seed gives the same pictures, in whatever order they are read, for all that is drawn', async (t) => {
  const split = splitOf(pictureOf(40, 30), pictureOf(40, 30), pictureOf(40, 30))
  for (const [kind, level] of [
    ['noise', 10],
    ['occlusion', 0.2],
  ] as const) {
    const read = (seed: number) => readAll(degraded(split, named(kind, level), seed))
    const first = await read(5)
    const { samples } = degraded(split, named(kind, level), 5)
    const last = await samples[2]!.read()
    t.deepEqual([await samples[0]!.read(), await samples[1]!.read(), last], first)
    t.notDeepEqual(await read(6), first, kind)
    t.notDeepEqual(first[0], first[1], 'each face has draws of its own')
  }
})

test('what is drawn for a face does not depend on the faces beside it', async (t) => {
  const split = splitOf(pictureOf(40, 30), pictureOf(30, 30), pictureOf(40, 40))
  const whole = await readAll(degraded(split, named('noise', 20), 1))
  const alone = await readAll(degraded(someOf(split, [2]), named('noise', 20), 1))
  t.deepEqual(alone, [whole[2]])
})

test('a degraded split, a part of one, and the one it comes from never share packed pictures', (t) => {
  const split = splitOf(pictureOf(8, 8), pictureOf(8, 8))
  const parts = [split, someOf(split, [0]), someOf(split, [1])]
  const all = parts.flatMap((part) => [
    part,
    ...degradations.map((degradation) => degraded(part, degradation, 0)),
    degraded(part, named('noise', 5), 1),
  ])
  t.is(new Set(all.map(({ fingerprint }) => fingerprint)).size, all.length)
})

test('pixels in memory are not taken for the degraded ones', (t) => {
  const block = { data: new Uint8Array(8 * 8 * 3), shape: [1, 8, 8, 3] } as const
  const split: Split = { ...splitOf(pictureOf(8, 8)), pixels: block }
  for (const made of [someOf(split, [0]), degraded(split, named('noise', 5), 0), observed(split, () => {})])
    t.false('pixels' in made)
})

test('an observed face tells of its picture as often as it is read, and stays what it is', async (t) => {
  const seen: [number, PictureKind][] = []
  const pictures = [pictureOf(8, 6), pictureOf(5, 5, 1)]
  const split = observed(splitOf(...pictures), (index, { width, height, channels }) =>
    seen.push([index, { width, height, channels }]),
  )
  t.deepEqual(await readAll(split), pictures)
  await split.samples[1]!.read()
  const grey = [1, { width: 5, height: 5, channels: 1 }]
  t.deepEqual(seen as unknown[], [[0, { width: 8, height: 6, channels: 3 }], grey, grey])
})

test('what a data set reads that is no picture is refused as such', async (t) => {
  const { data, ...size } = pictureOf(8, 8)
  for (const read of [
    undefined,
    null,
    'face.jpg',
    { ...size, data: data.subarray(1) },
    { ...size, data, channels: 4 },
  ]) {
    const split = splitOf(read as Picture)
    const refused = { code: 'ERR_BAD_DATA', message: /something that is not a picture/ }
    await t.throwsAsync(() => readAll(observed(split, () => {})), refused)
    for (const degradation of [named('resolution', 16), named('noise', 5), named('jpeg', 50)])
      await t.throwsAsync(() => readAll(degraded(split, degradation, 0)), refused)
  }
})
