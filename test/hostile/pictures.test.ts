import { mkdir, symlink, truncate, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import { decode } from '../../lib/images/decode.js'
import { pack } from '../../lib/images/pack.js'
import { datasets, evaluate, FerError, type Model, type Prediction, predict } from '../../lib/index.js'
import { cost, folder, fresh, isHelpful, makeFifo, refusalOf, untrainedModel } from './fixtures.js'

let model: Model

test.before(async () => {
  model = await untrainedModel()
})

const refuses = async (t: ExecutionContext, picture: string | Uint8Array, part: RegExp) =>
  isHelpful(t, await refusalOf(t, () => predict(picture, { model })), 'ERR_BAD_IMAGE', part)

/** Decodes, or is refused as a picture: nothing else. */
async function decodesOrNot(t: ExecutionContext, bytes: Uint8Array, what: string): Promise<boolean> {
  try {
    const { data, width, height, channels } = await decode(bytes)
    t.is(data.length, width * height * channels, what)
    return true
  } catch (error) {
    t.true(error instanceof FerError && error.code === 'ERR_BAD_IMAGE', `${what}: ${error}`)
    return false
  }
}

const noise = (side: number, channels: 1 | 3 | 4 = 3) =>
  sharp(
    Uint8Array.from({ length: side * side * channels }, (_, i) => (i * 7919) % 251),
    { raw: { width: side, height: side, channels } },
  )

/** A PNG by hand: its header may say anything. */
function png(
  width: number,
  height: number,
  pixels: Buffer,
  { depth = 8, color = 0, extra = [] as Buffer[] } = {},
) {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([depth, color], 8)
  const signature = Buffer.from('89504e470d0a1a0a', 'hex')
  return Buffer.concat([signature, chunk('IHDR', header), ...extra, chunk('IDAT', pixels), chunk('IEND')])
}

function chunk(type: string, data: Uint8Array = Buffer.alloc(0)): Buffer {
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  const body = Buffer.concat([Buffer.from(type), data])
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** Black rows, each of a filter byte and its samples, which zlib makes a thousandth of. */
const rows = (count: number, bytes: number) => deflateSync(Buffer.alloc(count * (bytes + 1)))

for (const [width, height] of [
  [1, 1],
  [1, 20000],
  [20000, 1],
  [20000, 100],
] as const) {
  test(`a picture of ${width} x ${height} is answered, as pixels and as a file`, async (t) => {
    const data = new Uint8Array(width * height).fill(77)
    const byPixels = await predict({ data, width, height, channels: 1 }, { model })
    const bytes = await sharp(data, { raw: { width, height, channels: 1 } })
      .toColourspace('b-w')
      .png()
      .toBuffer()
    t.deepEqual(await predict(bytes, { model }), byPixels)
  })
}

for (const [name, bytes] of [
  ['30000 x 30000', () => png(30000, 30000, rows(1000, 30000))],
  ['16000 x 16000', () => png(16000, 16000, rows(1, 16000))],
  ['2^31 - 1 squared', () => png(2 ** 31 - 1, 2 ** 31 - 1, rows(1, 100))],
  ['2^31 - 1 x 1', () => png(2 ** 31 - 1, 1, rows(1, 100))],
  ['0 x 0', () => png(0, 0, rows(1, 100))],
] as const) {
  test(`a picture that claims ${name} is refused at once`, async (t) => {
    const picture = bytes()
    const { seconds, bytes: grown } = await cost(() =>
      refuses(t, picture, /pixels than can be decoded|damaged/),
    )
    t.true(seconds < 2 && grown < 300e6, `${seconds} s, ${grown} bytes`)
  })
}

test('a large picture of 16 bits a sample is answered', async (t) => {
  // Just above 2^27 samples, at which Uint8Array.from with a function, which lists them in an array first, ends the process.
  const picture = png(6700, 6700, rows(6700, 6700 * 6), { depth: 16, color: 2 })
  const { seconds } = await cost(() => predict(picture, { model }))
  t.true(seconds < 10, `${seconds} s`)
})

test('text and profiles of a picture that unpack to 500 MB are not unpacked', async (t) => {
  const packed = deflateSync(Buffer.alloc(5e8), { level: 1 })
  for (const [type, name] of [
    ['zTXt', 'Comment\0\0'],
    ['iCCP', 'icc\0\0'],
  ] as const) {
    const extra = [chunk(type, Buffer.concat([Buffer.from(name), packed]))]
    const picture = png(4, 4, rows(4, 4), { extra })
    const { seconds, bytes } = await cost(() => decodesOrNot(t, picture, type))
    t.true(seconds < 2 && bytes < 300e6, `${type}: ${seconds} s, ${bytes} bytes`)
  }
})

test('large pictures one beside the other do not add up in memory', async (t) => {
  // 48 of 36 MB: 1.7 GB decoded, of which a batch holds a quarter.
  const picture = png(3464, 3464, rows(3464, 3464 * 3), { color: 2 })
  const { bytes } = await cost(() => predict(Array(48).fill(picture), { model }))
  t.true(bytes < 1.3e9, `${bytes} bytes`)
})

for (const format of ['gif', 'webp'] as const) {
  test(`of an animated ${format} the first frame is answered, however many there are`, async (t) => {
    const frames = await Promise.all(
      Array.from({ length: 60 }, (_, i) =>
        sharp({
          create: {
            width: 24,
            height: 24,
            channels: 3,
            background: { r: (i * 97) % 256, g: 4 * i, b: 255 - 4 * i },
          },
        })
          .png()
          .toBuffer(),
      ),
    )
    const lossless = format === 'webp' ? { lossless: true } : {}
    const animated = await sharp(frames, { join: { animated: true } })
      .toFormat(format, lossless)
      .toBuffer()
    t.is((await sharp(animated).metadata()).pages, 60)
    t.deepEqual(await predict(animated, { model }), await predict(frames[0]!, { model }))
  })
}

for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
  test(`a ${format} cut short at any of 40 lengths is refused`, async (t) => {
    const bytes = await noise(40).toFormat(format).toBuffer()
    for (let part = 0; part < 40; part++) {
      const cut = bytes.subarray(0, Math.floor((bytes.length * part) / 40))
      t.false(await decodesOrNot(t, cut, `${cut.length} of ${bytes.length}`))
    }
  })

  test(`a ${format} with any one of its bytes turned decodes or is refused`, async (t) => {
    const bytes = await noise(16).toFormat(format).toBuffer()
    // Every byte of the header, and 150 of the rest.
    const step = Math.max(1, Math.floor(bytes.length / 150))
    for (let i = 0; i < bytes.length; i += i < 150 ? 1 : step) {
      const turned = Buffer.from(bytes)
      turned[i]! ^= 0xff
      await decodesOrNot(t, turned, `byte ${i}`)
    }
  })
}

const svg = (body: string, before = '', size = 8) =>
  Buffer.from(
    `<?xml version="1.0"?>${before}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="${size}" height="${size}">${body}</svg>`,
  )

test('an SVG is no picture of a face: nothing of it is fetched, executed or drawn', async (t) => {
  let asked = 0
  const server = createServer((_, answer) => {
    asked++
    answer.end()
  }).listen(0)
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x.png`
  const secret = join(folder, 'secret.png')
  await noise(8).png().toFile(secret)
  const groups = Array.from(
    { length: 9 },
    (_, i) => `<g id="g${i + 1}">${`<use xlink:href="#g${i}"/>`.repeat(10)}</g>`,
  )
  const drawings = {
    plain: svg('<rect width="8" height="8" fill="#00f"/>'),
    remote: svg(
      `<image href="${address}" width="8" height="8"/><image xlink:href="${address}" width="8" height="8"/>`,
    ),
    local: svg(`<image href="file://${secret}" width="8" height="8"/>`),
    script: svg('<script>while (true) {}</script>'),
    entity: svg('<text>&x;</text>', '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>'),
    style: svg('', `<?xml-stylesheet href="${address}"?>`),
    billion: svg(`<g id="g0"><rect width="1" height="1"/></g>${groups.join('')}`),
    // Minutes of a processor, where it is drawn.
    filter: svg(
      '<filter id="f"><feGaussianBlur stdDeviation="500"/><feTurbulence numOctaves="10"/></filter><rect width="9999" height="9999" filter="url(#f)"/>',
      '',
      9999,
    ),
  }
  for (const [name, drawing] of Object.entries(drawings)) {
    const { seconds } = await cost(() => refuses(t, drawing, /not a picture of a known format|damaged/))
    t.true(seconds < 1, `${name}: ${seconds} s`)
  }
  server.close()
  t.is(asked, 0)
})

test('what is no picture at all is refused', async (t) => {
  const others = {
    pdf: Buffer.from('%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF'),
    html: Buffer.from('<!DOCTYPE html><html><img src="x.png"></html>'),
    text: Buffer.from('happy'),
    zeros: Buffer.alloc(1000),
    random: Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * i * 31 + 7 * i) % 256)),
    pixmap: Buffer.from('P6 2 2 255 aaabbbcccddd'),
    rest: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff]), Buffer.alloc(1000, 0xff)]),
  }
  for (const bytes of Object.values(others))
    await refuses(t, bytes, /not a picture of a known format|damaged/)
  await refuses(t, new Uint8Array(0), /0 bytes/)
})

test('unusual pictures are answered: CMYK, 16 bits, a palette with alpha, every orientation', async (t) => {
  const unusual = {
    cmyk: noise(24).toColourspace('cmyk').jpeg(),
    deep: noise(24).toColourspace('rgb16').png(),
    palette: noise(24, 4).png({ palette: true }),
    progressive: noise(24).jpeg({ progressive: true }),
    ...Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [
        i,
        noise(24)
          .withMetadata({ orientation: i + 1 })
          .jpeg(),
      ]),
    ),
  }
  for (const [name, picture] of Object.entries(unusual))
    t.is(typeof (await predict(await picture.toBuffer(), { model })).label, 'string', name)
})

test('a JPEG with megabytes of EXIF and profile is answered, or refused as damaged', async (t) => {
  const jpeg = await noise(24).jpeg().toBuffer()
  const segment = (marker: number, text: string) => {
    const payload = Buffer.alloc(65533, 0x41)
    payload.write(text, 'latin1')
    return Buffer.concat([Buffer.from([0xff, marker, 0xff, 0xff]), payload])
  }
  const exif = Array.from({ length: 200 }, () => segment(0xe1, 'Exif\0\0II*\0\x08\0\0\0\xff\xff'))
  const profile = Array.from({ length: 200 }, (_, i) =>
    segment(0xe2, `ICC_PROFILE\0${String.fromCharCode(i + 1)}\xc8`),
  )
  for (const [name, parts] of Object.entries({ exif, profile })) {
    const picture = Buffer.concat([jpeg.subarray(0, 2), ...parts, jpeg.subarray(2)])
    const { seconds, bytes } = await cost(() => decodesOrNot(t, picture, name))
    t.true(seconds < 2 && bytes < 200e6, `${name}: ${seconds} s, ${bytes} bytes`)
  }
})

test('a path that leads to no file is refused, and nothing waits for it', async (t) => {
  const fifo = await makeFifo(fresh())
  const link = fresh('.png')
  await symlink(fifo, link)
  for (const path of [fifo, link, '/dev/zero', '/dev/null', '/dev/full']) await refuses(t, path, /not a file/)
  await refuses(t, folder, /a folder/)
  await refuses(t, 'a\0b', /null bytes/)
  await refuses(t, 'x'.repeat(300), /ENAMETOOLONG|too long/)
  // A file of /proc claims no size and has no end.
  await refuses(t, '/proc/self/pagemap', /empty/)
})

test('a file too large for a picture is refused unread', async (t) => {
  const path = fresh('.png')
  await writeFile(path, png(4, 4, rows(4, 4)))
  await truncate(path, 2 ** 40)
  const { seconds, bytes } = await cost(() => refuses(t, path, /1099511627776 bytes/))
  t.true(seconds < 1 && bytes < 50e6, `${seconds} s, ${bytes} bytes`)
})

test('one bad picture among 100 stands in its place as its error', async (t) => {
  const good = await noise(24).png().toBuffer()
  const pictures = Array(100).fill(good)
  pictures[37] = good.subarray(0, 100)
  const answers = await predict(pictures, { model, onError: 'return', batchSize: 16, precision: 'float32' })
  t.is(answers.length, 100)
  isHelpful(t, answers[37], 'ERR_BAD_IMAGE', 'picture 37')
  const [first, last] = [answers[0], answers[99]] as [Prediction, Prediction]
  t.true(Math.abs(first.confidence - last.confidence) < 1e-5)
  isHelpful(t, await refusalOf(t, () => predict(pictures, { model })), 'ERR_BAD_IMAGE', /^Picture 37: /)
})

test('a folder of pictures with a bad one among them names it, and leaves no pack behind', async (t) => {
  const root = fresh()
  for (const name of ['happy', 'sad']) await mkdir(join(root, name), { recursive: true })
  const good = await noise(24).png().toBuffer()
  for (const name of ['happy/a.png', 'happy/b.png', 'sad/a.png']) await writeFile(join(root, name), good)
  t.is((await evaluate(model, datasets.folder(root))).samples, 3)
  for (const [bytes, part] of [
    [good.subarray(0, 200), /damaged/],
    [svg('<rect/>'), /known format/],
    [png(30000, 30000, rows(1, 30000)), /pixels/],
    ['', /empty/],
  ] as const) {
    await writeFile(join(root, 'sad', 'b.png'), bytes)
    const error = await refusalOf(t, () => evaluate(model, datasets.folder(root)))
    isHelpful(t, error, 'ERR_BAD_IMAGE', 'sad/b.png', part)
  }
})

test('a folder whose pictures are links to what is no file names them', async (t) => {
  const root = fresh()
  await mkdir(join(root, 'happy'), { recursive: true })
  await symlink('/dev/zero', join(root, 'happy', 'a.png'))
  const split = await datasets.folder(root).open('test')
  const options = { imageSize: 32, color: 'rgb', augmented: false } as const
  isHelpful(t, await refusalOf(t, () => pack(split, options)), 'ERR_BAD_IMAGE', 'happy/a.png', /not a file/)
})
