import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { decode } from '../../lib/images/decode.js'
import { probeColor } from '../../lib/images/probe.js'
import { colorPng, greyPng, temporaryFolder, writeFiles } from '../datasets/fixtures.js'

const raw = (data: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(data, { raw: { width, height, channels } })

/** A grey JPEG of 16 x 8 whose left half is dark, with an EXIF orientation spliced in after its first marker. */
async function orientedJpeg(orientation: number): Promise<Buffer> {
  const data = Uint8Array.from({ length: 128 }, (_, index) => (index % 16 < 8 ? 20 : 220))
  const jpeg = await raw(data, 16, 8, 1).toColourspace('b-w').jpeg({ quality: 100 }).toBuffer()
  // TIFF header, little-endian; one entry: tag 0x0112, SHORT, count 1, the value; no next directory.
  const tiff = [
    0x49,
    0x49,
    42,
    0,
    8,
    0,
    0,
    0,
    1,
    0,
    0x12,
    1,
    3,
    0,
    1,
    0,
    0,
    0,
    orientation,
    0,
    0,
    0,
    0,
    0,
    0,
    0,
  ]
  const payload = Buffer.from([...Buffer.from('Exif\0\0'), ...tiff])
  const marker = Buffer.from([0xff, 0xe1, 0, payload.length + 2])
  return Buffer.concat([jpeg.subarray(0, 2), marker, payload, jpeg.subarray(2)])
}

test('a colour picture has three channels, its values and exactly its bytes', async (t) => {
  const values = Uint8Array.from({ length: 5 * 3 * 3 }, (_, index) => index * 5)
  const picture = await decode(await raw(values, 5, 3, 3).png().toBuffer())
  t.deepEqual(
    { ...picture, data: [...picture.data] },
    { width: 5, height: 3, channels: 3, data: [...values] },
  )
  t.false(Buffer.isBuffer(picture.data))
})

test('a grey picture has one channel and its 256 values unchanged', async (t) => {
  const values = Uint8Array.from({ length: 256 }, (_, index) => index)
  const picture = await decode(await raw(values, 32, 8, 1).toColourspace('b-w').png().toBuffer())
  t.is(picture.channels, 1)
  t.deepEqual([...picture.data], [...values])
})

test('a colour picture whose every pixel is grey keeps three channels', async (t) => {
  const picture = await decode(await colorPng('#646464'))
  t.is(picture.channels, 3)
  t.true(picture.data.every((value) => value === 100))
})

test('sixteen bits of grey scale to eight instead of clipping', async (t) => {
  const values = Uint16Array.from([0, 257, 1000, 12850, 32768, 40000, 51400, 65278, 65535])
  const png = await raw(values, 9, 1, 1).toColourspace('grey16').png().toBuffer()
  t.is((await sharp(png).metadata()).depth, 'ushort')
  const { data, channels } = await decode(png)
  t.is(channels, 1)
  // v / 257 is 0, 1, 3.89, 50, 127.50, 155.64, 200, 254, 255.
  t.deepEqual([...data], [0, 1, 4, 50, 128, 156, 200, 254, 255])
})

test('all 65536 values of sixteen bits become v / 257, rounded', async (t) => {
  const values = Uint16Array.from({ length: 65536 }, (_, value) => value)
  const { data } = await decode(await raw(values, 256, 256, 1).toColourspace('grey16').png().toBuffer())
  t.is(data.length, 65536)
  t.true(data.every((level, value) => level === Math.round(value / 257)))
})

test('sixteen bits of colour, with and without alpha, scale to eight', async (t) => {
  const rgb = Uint16Array.from([0, 257, 514, 65535, 32768, 25700])
  const plain = await decode(await raw(rgb, 2, 1, 3).toColourspace('rgb16').png().toBuffer())
  t.deepEqual([...plain.data], [0, 1, 2, 255, 128, 100])
  const rgba = Uint16Array.from([0, 257, 514, 65535, 65535, 32768, 25700, 0])
  const clear = await decode(await raw(rgba, 2, 1, 4).toColourspace('rgb16').png().toBuffer())
  t.deepEqual([...clear.data], [0, 1, 2, 128, 128, 128])
})

test('CMYK becomes sane RGB: white stays white, black dark, red red', async (t) => {
  const first = async (color: string) => {
    const image = sharp({ create: { width: 8, height: 8, channels: 3, background: color } }).toColourspace(
      'cmyk',
    )
    const jpeg = await image.jpeg({ quality: 100 }).toBuffer()
    t.is((await sharp(jpeg).metadata()).space, 'cmyk')
    const picture = await decode(jpeg)
    t.is(picture.channels, 3)
    return [...picture.data.subarray(0, 3)]
  }
  const near = (actual: number[], wanted: number[]) =>
    // The inks cannot reach every colour; 30 levels tell it from an inverted or clipped picture.
    t.true(
      actual.every((value, index) => Math.abs(value - wanted[index]!) <= 30),
      `${actual}`,
    )
  near(await first('#ffffff'), [255, 255, 255])
  near(await first('#000000'), [0, 0, 0])
  near(await first('#c8321e'), [200, 50, 30])
})

test('a palette gives its colours', async (t) => {
  const png = await sharp(await colorPng('#c8321e'))
    .png({ palette: true })
    .toBuffer()
  t.true((await sharp(png).metadata()).isPalette)
  const { data, channels } = await decode(png)
  t.is(channels, 3)
  t.deepEqual([...data.subarray(0, 3)], [200, 50, 30])
})

test('alpha is laid over mid-grey', async (t) => {
  const values = Uint8Array.from([200, 50, 30, 255, 200, 50, 30, 0, 200, 50, 30, 128])
  const { data, channels } = await decode(await raw(values, 3, 1, 4).png().toBuffer())
  t.is(channels, 3)
  // Opaque unchanged; clear 128; half: 200 * 128/255 + 128 * 127/255 = 164.1, 88.8, 78.8, cut down.
  t.deepEqual([...data], [200, 50, 30, 128, 128, 128, 164, 88, 78])
})

test('grey with alpha stays one channel', async (t) => {
  const values = Uint8Array.from([100, 255, 100, 0, 20, 64])
  const png = await raw(values, 3, 1, 2).toColourspace('b-w').png().toBuffer()
  t.is((await sharp(png).metadata()).channels, 2)
  const { data, channels } = await decode(png)
  t.is(channels, 1)
  t.deepEqual([...data], [100, 128, 100]) // 20 * 64/255 + 128 * 191/255 = 100.9, cut down
})

for (const [orientation, width, height, corners] of [
  // Values of the top-left, top-right and bottom-left pixels of the upright picture, from the EXIF definition
  // of where the stored first row and column belong; the stored picture is dark at its left.
  [1, 16, 8, [20, 220, 20]],
  [2, 16, 8, [220, 20, 220]],
  [3, 16, 8, [220, 20, 220]],
  [4, 16, 8, [20, 220, 20]],
  [5, 8, 16, [20, 20, 220]],
  [6, 8, 16, [20, 20, 220]],
  [7, 8, 16, [220, 220, 20]],
  [8, 8, 16, [220, 220, 20]],
] as const) {
  test(`EXIF orientation ${orientation} is applied`, async (t) => {
    const jpeg = await orientedJpeg(orientation)
    t.is((await sharp(jpeg).metadata()).orientation, orientation)
    const picture = await decode(jpeg)
    t.deepEqual([picture.width, picture.height, picture.channels], [width, height, 1])
    t.is(picture.data.length, 128)
    const found = [picture.data[0]!, picture.data[width - 1]!, picture.data[(height - 1) * width]!]
    for (const [index, value] of found.entries()) t.true(Math.abs(value - corners[index]!) < 5, `${found}`)
  })
}

test('orientation is applied exactly, pixel by pixel', async (t) => {
  const stored = raw(Uint8Array.from([10, 20, 30, 40, 50, 60]), 3, 2, 1)
  const picture = await decode(await stored.withMetadata({ orientation: 6 }).png().toBuffer())
  // Rows (10 20 30), (40 50 60) turned clockwise: (40 10), (50 20), (60 30).
  t.deepEqual([picture.width, picture.height], [2, 3])
  const firstChannel = [...picture.data].filter((_, index) => index % picture.channels === 0)
  t.deepEqual(firstChannel, [40, 10, 50, 20, 60, 30])
})

test('of an animation the first frame is taken', async (t) => {
  const frames = [await colorPng('#ff0000'), await colorPng('#00ff00')]
  const gif = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer()
  t.is((await sharp(gif).metadata()).pages, 2)
  const { data, height } = await decode(gif)
  t.is(height, 4)
  t.deepEqual([...data.subarray(0, 3)], [255, 0, 0])
})

for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
  test(`${format} is read from a file and from bytes alike`, async (t) => {
    const root = await temporaryFolder(t)
    const bytes = await sharp(await colorPng('#c8321e', 16, 12))
      .toFormat(format)
      .toBuffer()
    await writeFile(join(root, 'face'), bytes)
    const picture = await decode(join(root, 'face'))
    t.deepEqual(picture, await decode(new Uint8Array(bytes)))
    t.deepEqual([picture.width, picture.height, picture.data.length], [16, 12, 16 * 12 * 3])
    t.true(Math.abs(picture.data[0]! - 200) <= 4, `${picture.data[0]}`) // lossy formats
  })

  test(`${format} cut at half or at nine tenths is refused as truncated or damaged`, async (t) => {
    const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7919) % 251)
    const bytes = await raw(noise, 64, 64, 3).toFormat(format).toBuffer()
    for (const part of [0.5, 0.9]) {
      const cut = bytes.subarray(0, Math.floor(bytes.length * part))
      const error = await t.throwsAsync(decode(cut, 'happy/x'), { code: 'ERR_BAD_IMAGE' })
      t.regex(error.message, /^Cannot read `happy\/x`: it is .*\. Remove it or replace it with a JPEG/)
      t.notRegex(error.message, /\n/)
    }
  })
}

test('a JPEG cut short and closed again is refused, although libjpeg would fill in grey', async (t) => {
  const noise = Uint8Array.from({ length: 64 * 64 * 3 }, (_, index) => (index * 7919) % 251)
  const bytes = await raw(noise, 64, 64, 3).jpeg().toBuffer()
  const closed = Buffer.concat([bytes.subarray(0, bytes.length >> 1), Buffer.from([0xff, 0xd9])])
  await t.throwsAsync(decode(closed), {
    code: 'ERR_BAD_IMAGE',
    message: /the given bytes: it is truncated or damaged/,
  })
})

test('bytes after the end of a JPEG do no harm, as phones append them', async (t) => {
  const jpeg = await sharp(await colorPng('#c8321e'))
    .jpeg()
    .toBuffer()
  t.deepEqual(await decode(Buffer.concat([jpeg, Buffer.alloc(100, 7)])), await decode(jpeg))
})

test('an empty file, a missing one, a folder and text are each refused by name with the cure', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'empty.jpg': '', 'text.jpg': 'hello there' })
  const refused = async (name: string, rest: string) => {
    const path = join(root, name)
    const error = await t.throwsAsync(decode(path), { code: 'ERR_BAD_IMAGE' })
    t.is(error.message, `Cannot read \`${path}\`: ${rest}`)
  }
  const replaceIt = 'Remove it or replace it with a JPEG, PNG or WebP picture'
  await refused('empty.jpg', `it is empty (0 bytes). ${replaceIt}`)
  await refused('text.jpg', `it is not a picture of a known format. ${replaceIt}`)
  await refused('none.jpg', 'it does not exist. Check the path')
  await refused('.', 'it is a folder. Give the path of a picture')
})

test('a name given beside a path or bytes is the one an error uses', async (t) => {
  await t.throwsAsync(decode(new Uint8Array(0), 'image 3'), {
    message: /^Cannot read `image 3`: it is empty/,
  })
  await t.throwsAsync(decode('no/such/file.png', 'row 2'), {
    message: /^Cannot read `row 2`: it does not exist/,
  })
})

test('a file that changed since it was last read is read anew', async (t) => {
  const root = await temporaryFolder(t)
  const path = join(root, 'face.png')
  await writeFile(path, await greyPng(10))
  t.is((await decode(path)).data[0], 10)
  await writeFile(path, await greyPng(99))
  t.is((await decode(path)).data[0], 99)
  t.is(await probeColor([path]), 'grey')
  await writeFile(path, await colorPng('#c8321e'))
  t.is((await decode(path)).channels, 3)
  t.is(await probeColor([path]), 'rgb')
})

test('no pictures at all probe as rgb', async (t) => {
  t.is(await probeColor([]), 'rgb')
})
