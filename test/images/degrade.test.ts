import { readFile } from 'node:fs/promises'
import test from 'ava'
import type { Picture } from '../../lib/datasets/dataset.js'
import { degradations } from '../../lib/images/degradations.js'
import {
  blur,
  brighten,
  type ColorMatrix,
  compress,
  isBlurred,
  noise,
  occlude,
  recolor,
  shrink,
} from '../../lib/images/degrade.js'

const filled = (
  width: number,
  height: number,
  channels: 1 | 3,
  level: (place: number) => number,
): Picture => ({
  width,
  height,
  channels,
  data: Uint8Array.from({ length: width * height * channels }, (_, i) => level(i)),
})

/** All levels, no two neighbours alike. */
const motley = (channels: 1 | 3, width = 40, height = 30) =>
  filled(width, height, channels, (i) => (i * 37 + (i >> 5) * 11) % 256)
/** Of large pictures, where ava's own comparison takes seconds. */
const isSame = (one: Picture, other: Picture) =>
  one.width === other.width && one.height === other.height && Buffer.compare(one.data, other.data) === 0
const mean = (values: ArrayLike<number>) =>
  Array.from(values).reduce((sum, value) => sum + value) / values.length
const deviation = (values: ArrayLike<number>) => {
  const middle = mean(values)
  return Math.sqrt(mean(Array.from(values, (value) => (value - middle) ** 2)))
}

for (const channels of [1, 3] as const) {
  test(`every degradation makes a whole picture of ${channels} channels, the same each time, of a picture it leaves alone`, async (t) => {
    const picture = motley(channels, 250, 180)
    const before = picture.data.slice()
    for (const { kind, level, changes, apply } of degradations) {
      if (!changes(picture)) continue
      const [once, again] = [await apply(picture, 7), await apply(picture, 7)]
      t.is(once.channels, channels, kind)
      t.is(once.data.length, once.width * once.height * channels)
      t.true(once.data instanceof Uint8Array)
      t.true(isSame(again, once), `${kind} ${level}`)
      t.false(isSame(once, picture), `${kind} ${level}`)
      t.is(Buffer.compare(picture.data, before), 0)
    }
  })
}

test('what a degradation changes: only larger faces are shrunk, only colour is recoloured', (t) => {
  const kindsFor = (width: number, channels: 1 | 3) =>
    degradations
      .filter(({ changes }) => changes({ width, height: width - 8, channels }))
      .map(({ kind, level }) => `${kind} ${level}`)
  const always = 4 + 5 + 3 + 5 // noise, JPEG, occlusion, brightness
  const grey = kindsFor(48, 1)
  t.deepEqual(
    grey.filter((name) => /resolution|blur/.test(name)),
    // 0.5 of 112 pixels is 0.21 of 48.
    ['resolution 32', 'resolution 24', 'resolution 16', 'blur 1', 'blur 2', 'blur 4'],
  )
  t.is(grey.length, always + 6)
  t.is(kindsFor(225, 3).length, degradations.length)
  t.false(kindsFor(224, 3).includes('resolution 224'))
})

test('levels of one kind come together: amounts from the mildest on, factors from the least on', (t) => {
  const kinds = degradations.map(({ kind }) => kind)
  t.deepEqual(
    [...new Set(kinds)],
    kinds.filter((kind, i) => kind !== kinds[i - 1]),
  )
  const levelsOf = (kind: string) =>
    degradations.filter((row) => row.kind === kind).map(({ level }) => level as number)
  t.deepEqual(levelsOf('resolution'), [224, 128, 96, 64, 48, 32, 24, 16])
  const rising = (levels: number[]) => levels.every((level, i) => i === 0 || level > levels[i - 1]!)
  for (const kind of ['blur', 'noise', 'occlusion', 'brightness', 'saturation'])
    t.true(rising(levelsOf(kind)), kind)
  t.true(rising(levelsOf('jpeg').reverse()))
})

test('shrinking keeps the shape and averages what falls together', async (t) => {
  const stripes = filled(64, 48, 1, (i) => (i % 2 ? 200 : 100))
  const { width, height, data } = await shrink(16)(stripes, 0)
  t.deepEqual([width, height], [16, 12])
  const inner = Array.from(data).filter((_, i) => i % 16 > 0 && i % 16 < 15)
  for (const level of inner) t.true(Math.abs(level - 150) <= 2, `${level}`)
  const thin = await shrink(16)(
    filled(400, 2, 3, () => 9),
    0,
  )
  t.deepEqual([thin.width, thin.height], [16, 1])
})

test('shrinking puts each new pixel where its middle was', async (t) => {
  for (const [side, from] of [
    [16, 64],
    [24, 96],
    [48, 96],
  ] as const) {
    const ramp = filled(from, from, 1, (i) => 20 + 2 * (i % from))
    const { data } = await shrink(side)(ramp, 0)
    const pixels = from / side
    // The middle of new pixel x lies at (x + 1/2) pixels - 1/2 of the old ones; at the border some are missing.
    for (let x = 1; x < side - 1; x++) {
      const expected = 20 + 2 * ((x + 0.5) * pixels - 0.5)
      t.true(Math.abs(data[side + x]! - expected) <= 1, `${side}: ${data[side + x]}, not ${expected}`)
    }
  }
})

test('blur is a Gaussian of the deviation asked for, in proportion to the face', async (t) => {
  for (const side of [113, 339]) {
    const centre = (side - 1) / 2
    const line = filled(side, side, 1, (i) => (i % side === centre ? 255 : 0))
    const { data } = await blur(4)(line, 0)
    const sigma = (4 * side) / 112
    const row = data.subarray(side * centre, side * (centre + 1))
    for (const offset of [0, 2, 5]) {
      const expected = (255 / (sigma * Math.sqrt(2 * Math.PI))) * Math.exp(-(offset ** 2) / (2 * sigma ** 2))
      // Cut off at a hundredth of its height, it is a few hundredths higher.
      t.true(
        Math.abs(row[centre + offset]! - expected) < 1,
        `${side}: ${row[centre + offset]}, not ${expected}`,
      )
    }
  }
})

test('blur keeps a plain picture as it is, to the level', async (t) => {
  for (const sigma of [1, 2, 4]) {
    const plain = filled(112, 112, 3, () => 101)
    t.deepEqual((await blur(sigma)(plain, 0)).data, plain.data)
  }
  t.false(isBlurred({ width: 67, height: 20 }, 0.5), '0.299 pixels')
  t.true(isBlurred({ width: 20, height: 68 }, 0.5), '0.304 pixels')
})

test('noise has the deviation asked for and no mean, on each value by itself', async (t) => {
  const plain = filled(150, 150, 3, () => 128)
  for (const level of [5, 10, 20, 40]) {
    const off = Array.from((await noise(level)(plain, 3)).data, (value) => value - 128)
    // Of 67500 values the deviation is known to 1 part in sqrt(2 * 67500) = 367; rounding adds 1/12 to the variance. At
    // 40, one value of 700 is cut off, which takes 0.4 % of the deviation.
    const expected = Math.sqrt(level ** 2 + 1 / 12)
    t.true(Math.abs(deviation(off) / expected - 1) < 0.02, `${deviation(off)}, not ${expected}`)
    t.true(Math.abs(mean(off)) < (5 * level) / Math.sqrt(off.length))
    const beside = off.slice(1).map((value, i) => value * off[i]!)
    t.true(
      Math.abs(mean(beside)) < (5 * level ** 2) / Math.sqrt(off.length),
      'neighbours have nothing in common',
    )
  }
})

test('noise differs from face to face, and is cut off at black and white', async (t) => {
  const plain = filled(64, 64, 1, () => 128)
  t.notDeepEqual((await noise(20)(plain, 1)).data, (await noise(20)(plain, 2)).data)
  const edges = await noise(40)(
    filled(64, 64, 1, (i) => (i % 2 ? 255 : 0)),
    1,
  )
  const black = edges.data.filter((_, i) => i % 2 === 0)
  // Half of the deviates are below 0.
  t.true(Math.abs(black.filter((level) => level === 0).length / black.length - 0.5) < 0.06)
})

test('a picture of more values than there are deviates is noisy to its end', async (t) => {
  const large = filled(1100, 1000, 1, () => 128)
  const { data } = await noise(10)(large, 5)
  t.true(Math.abs(deviation(data.subarray(data.length - 20_000)) - 10) < 0.3)
})

test('a block covers the part of the area asked for, mid-grey, shaped as the picture and within it', async (t) => {
  const white = filled(120, 80, 3, () => 255)
  const places = new Set<number>()
  for (const part of [0.1, 0.2, 0.3]) {
    for (let key = 0; key < 40; key++) {
      const { data } = await occlude(part)(white, key * 7919)
      const covered = [...data.keys()].filter((i) => data[i] !== 255)
      t.true(covered.every((i) => data[i] === 128))
      const columns = new Set(covered.map((i) => Math.floor(i / 3) % 120))
      const rows = new Set(covered.map((i) => Math.floor(i / 360)))
      t.is(covered.length, 3 * columns.size * rows.size, 'one whole rectangle')
      t.true(Math.abs(columns.size * rows.size - part * 9600) < 60, `${columns.size} x ${rows.size}`)
      t.true(Math.abs(columns.size / rows.size - 1.5) < 0.05)
      places.add(covered[0]!)
    }
  }
  t.true(places.size > 100, `${places.size} places of 120`)
})

test('blocks fall everywhere alike', async (t) => {
  const white = filled(60, 60, 1, () => 255)
  const counts = { left: 0, top: 0 }
  for (let key = 0; key < 400; key++) {
    const { data } = await occlude(0.3)(white, key)
    const first = data.findIndex((level) => level !== 255)
    // 33 of 60 pixels are covered: the first one is one of 28.
    if (first % 60 < 14) counts.left++
    if (Math.floor(first / 60) < 14) counts.top++
  }
  // A binomial of 400 and a half has deviation 10.
  t.true(Math.abs(counts.left - 200) < 50 && Math.abs(counts.top - 200) < 50, JSON.stringify(counts))
})

test('brightness is every value times the factor, rounded, at most white', async (t) => {
  for (const channels of [1, 3] as const) {
    const picture = motley(channels)
    for (const factor of [0.4, 0.6, 0.8, 1.25, 1.6]) {
      const { data } = await brighten(factor)(picture, 0)
      // In float32 a value that is half a level may fall on either side.
      const off = Array.from(data, (level, i) => Math.abs(level - Math.min(picture.data[i]! * factor, 255)))
      t.true(Math.max(...off) < 0.5001, `${channels} channels, ${factor}`)
    }
  }
})

test('what degrades by nothing changes nothing', async (t) => {
  const asItIs: ColorMatrix = [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ]
  for (const channels of [1, 3] as const) {
    const picture = motley(channels)
    const all = [noise(0), occlude(0), brighten(1), shrink(40), ...(channels === 3 ? [recolor(asItIs)] : [])]
    for (const apply of all) t.deepEqual(await apply(picture, 7), picture)
  }
})

test('JPEG at 100 keeps grey to two levels, and smooth colours, which it halves, to three', async (t) => {
  // Of a transform and back, both rounded, hardly a value is off by more than one level; colour is converted besides.
  const off = async (picture: Picture) => {
    const { data } = await compress(100)(picture, 0)
    return Math.max(...Array.from(data, (level, i) => Math.abs(level - picture.data[i]!)))
  }
  t.true((await off(motley(1))) <= 2)
  t.true((await off(filled(64, 64, 3, (i) => 60 + 2 * (Math.floor(i / 3) % 64)))) <= 3)
})

test('a lower quality of JPEG is further from the picture, level by level', async (t) => {
  const picture = motley(3)
  let before = 0
  for (const { apply } of degradations.filter(({ kind }) => kind === 'jpeg')) {
    const { data } = await apply(picture, 0)
    const off = mean(Array.from(data, (level, i) => Math.abs(level - picture.data[i]!)))
    t.true(off > before, `${off} after ${before}`)
    before = off
  }
})

test('JPEG at 90 nearly keeps a smooth picture, and at 5 does not', async (t) => {
  for (const channels of [1, 3] as const) {
    const smooth = filled(64, 64, channels, (i) => 60 + 2 * (Math.floor(i / channels) % 64))
    const errorAt = async (quality: number) => {
      const { data } = await compress(quality)(smooth, 0)
      return mean(Array.from(data, (level, i) => Math.abs(level - smooth.data[i]!)))
    }
    const [fine, coarse] = [await errorAt(90), await errorAt(5)]
    t.true(fine < 1 && coarse > 2 * fine, `${fine} and ${coarse}`)
  }
})

test('colours are mixed as the matrix says; grey is the luma that the package uses elsewhere', async (t) => {
  const picture = motley(3)
  const swap: ColorMatrix = [
    [0, 0, 1],
    [0, 1, 0],
    [1, 0, 0],
  ]
  const { data } = await recolor(swap)(picture, 0)
  for (let i = 0; i < data.length; i += 3) {
    const [red, green, blue] = picture.data.subarray(i, i + 3)
    if (data[i] !== blue || data[i + 1] !== green || data[i + 2] !== red) t.fail(`pixel ${i / 3}`)
  }
  const grey = degradations.find(({ kind, level }) => kind === 'saturation' && level === 0)!
  const drained = (await grey.apply(picture, 0)).data
  for (let i = 0; i < drained.length; i += 3) {
    const [red, green, blue] = picture.data.subarray(i, i + 3) as unknown as [number, number, number]
    const luma = 0.299 * red + 0.587 * green + 0.114 * blue
    for (const level of drained.subarray(i, i + 3))
      t.true(Math.abs(level - luma) < 0.501, `${level}, ${luma}`)
  }
})

test('saturation moves each value along the line from its grey, a tint multiplies each channel', async (t) => {
  const picture = motley(3)
  const tints = { warm: [1.2, 1, 0.75], cold: [0.75, 1, 1.2], green: [0.85, 1.1, 0.85] }
  for (const { kind, level, apply } of degradations) {
    if (kind !== 'saturation' && kind !== 'tint') continue
    const { data } = await apply(picture, 0)
    const expected = (channel: number, at: number) => {
      const pixel = picture.data.subarray(at, at + 3)
      if (kind === 'tint') return tints[level as 'warm'][channel]! * pixel[channel]!
      const luma = 0.299 * pixel[0]! + 0.587 * pixel[1]! + 0.114 * pixel[2]!
      return luma + (level as number) * (pixel[channel]! - luma)
    }
    const off = Array.from(data, (value, i) =>
      Math.abs(value - Math.min(Math.max(expected(i % 3, i - (i % 3)), 0), 255)),
    )
    t.true(Math.max(...off) < 0.501, `${kind} ${level}: ${Math.max(...off)}`)
  }
})

test('saturation keeps a grey pixel and its luma; warm light is redder, cold light bluer', async (t) => {
  const named = (kind: string, level: number | string) =>
    degradations.find((degradation) => degradation.kind === kind && degradation.level === level)!
  const grey = filled(8, 8, 3, () => 77)
  t.deepEqual((await named('saturation', 2).apply(grey, 0)).data, grey.data)
  const shift = async (level: string) => {
    const { data } = await named('tint', level).apply(grey, 0)
    return data[0]! - data[2]!
  }
  t.true((await shift('warm')) > 20 && (await shift('cold')) < -20)
})

test('the table of the documentation names every level', async (t) => {
  const text = await readFile('docs/robustness.md', 'utf8')
  const rows = [...text.matchAll(/^\| `(\w+)` +\| ([^|]+?) +\|/gm)].map(([, kind, levels]) => [kind, levels])
  const kinds = [...new Set(degradations.map(({ kind }) => kind))]
  const levelsOf = (kind: string) => degradations.filter((row) => row.kind === kind).map(({ level }) => level)
  t.deepEqual(
    rows,
    kinds.map((kind) => [kind, levelsOf(kind).join(', ')]),
  )
})
