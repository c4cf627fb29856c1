import { existsSync } from 'node:fs'
import { utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { fer2013 } from '../../lib/datasets/fer2013.js'
import { copies, greyPng, temporaryFolder, writeFiles } from './fixtures.js'

const face = (value: number) => new Array(2304).fill(value).join(' ')
const row = (emotion: number | string, value: number, usage: string) => `${emotion},${face(value)},${usage}`
const header = 'emotion,pixels,Usage'
const csv = (...rows: readonly string[]) => `${rows.join('\n')}\n`

const small = csv(
  header,
  row(3, 10, 'Training'),
  row(0, 20, 'PublicTest'),
  row(6, 30, 'Training'),
  row(5, 40, 'PrivateTest'),
)

test('each Usage is a split, each emotion its expression, and the pixels are one block', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'fer2013.csv': small })
  const data = fer2013(join(root, 'fer2013.csv'))
  t.deepEqual(await data.splits(), ['train', 'validation', 'test'])
  const train = await data.open('train')
  // Emotions 3, 0, 6, 5 are happy, angry, neutral, surprise: in canonical order 1, 2, 3, 0 of those present.
  t.deepEqual([...train.classes], ['surprise', 'happiness', 'anger', 'neutral'])
  t.deepEqual(
    train.samples.map(({ name, label }) => [name, label]),
    [
      ['row 1', 1],
      ['row 3', 3],
    ],
  )
  t.is(train.color, 'grey')
  t.deepEqual([...train.pixels!.shape], [2, 48, 48, 1])
  t.is(train.pixels!.data.buffer.byteLength, 2 * 2304) // no spare capacity is kept
  t.is(train.pixels!.data[2303], 10)
  t.is(train.pixels!.data[2304], 30)
  t.deepEqual((await data.open('validation')).samples[0]!.label, 2)
  t.deepEqual([...(await data.open('test')).classes], [...train.classes])
})

test('all seven emotions map as the release numbers them', async (t) => {
  const root = await temporaryFolder(t)
  const rows = [0, 1, 2, 3, 4, 5, 6].map((emotion) => row(emotion, emotion, 'Training'))
  await writeFiles(root, { 'fer2013.csv': csv(header, ...rows) })
  const { samples, classes } = await fer2013(root).open('train')
  t.deepEqual(
    samples.map(({ label }) => classes[label]),
    ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral'],
  )
})

test('a sample reads as a view over the block', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'fer2013.csv': small })
  const { samples, pixels } = await fer2013(root).open('train')
  const picture = await samples[1]!.read()
  t.deepEqual([picture.width, picture.height, picture.channels], [48, 48, 1])
  t.is(picture.data.buffer, pixels!.data.buffer)
  t.is(picture.data.byteOffset, 2304)
  t.true(picture.data.every((value) => value === 30))
})

test('the order of pixels is that of the text', async (t) => {
  const root = await temporaryFolder(t)
  const values = Array.from({ length: 2304 }, (_, index) => (index * 7) % 256)
  await writeFiles(root, { 'fer2013.csv': csv(header, `2,${values.join(' ')},Training`) })
  const { pixels } = await fer2013(root).open('train')
  t.deepEqual([...pixels!.data], values)
})

test('columns in any order and case, extra ones, quotes, CRLF, blank lines and a byte-order mark are read', async (t) => {
  const root = await temporaryFolder(t)
  // ` pixels` with a space is how the competition's icml_face_data.csv writes its header.
  const text = `\uFEFFUSAGE, pixels,id,Emotion\r\n\r\nTraining,"${face(9)} ",x,4\r\n`
  await writeFiles(root, { 'icml_face_data.csv': text })
  const { samples, pixels, classes } = await fer2013(root).open('train')
  t.is(samples.length, 1)
  t.deepEqual([...classes], ['sadness'])
  t.is(pixels!.data[0], 9)
})

test('a block that grows past its first capacity keeps every face', async (t) => {
  const root = await temporaryFolder(t)
  const rows = Array.from({ length: 150 }, (_, index) => row(index % 7, index, 'Training'))
  await writeFiles(root, { 'fer2013.csv': csv(header, ...rows) })
  const { pixels } = await fer2013(root).open('train')
  t.is(pixels!.data.length, 150 * 2304)
  for (let index = 0; index < 150; index++) t.is(pixels!.data[index * 2304 + 2303], index)
})

test('a Usage that the file lacks is an error that lists those present', async (t) => {
  const root = await temporaryFolder(t)
  const file = join(root, 'fer2013.csv')
  await writeFiles(root, { 'fer2013.csv': csv(header, row(1, 1, 'Training'), row(1, 1, 'PublicTest')) })
  await t.throwsAsync(fer2013(file).open('test'), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: `No split \`test\` in \`${file}\`: it has \`train\`, \`validation\`. Choose one of those, or add the missing split`,
  })
})

const good = row(3, 10, 'Training')
const broken: readonly (readonly [what: string, text: string, line: number, reason: RegExp])[] = [
  ['a short row', csv(header, good, `3,${face(1)}`), 3, /it has 2 fields where the header has 3/],
  ['a long row', csv(header, good, `${good},x`), 3, /it has 4 fields where the header has 3/],
  [
    'a pixel too few',
    csv(header, good, `3,${face(1).slice(2)},Training`),
    3,
    /it has 2303 pixels instead of 2304/,
  ],
  ['a pixel too many', csv(header, `3,${face(1)} 7,Training`), 2, /it has 2305 pixels instead of 2304/],
  ['no pixels', csv(header, '3,,Training'), 2, /it has 0 pixels/],
  ['a pixel above 255', csv(header, row(3, 256, 'Training')), 2, /pixel 1 is 256, not 0 to 255/],
  ['a negative pixel', csv(header, row(3, -1, 'Training')), 2, /pixel 1 holds `-`, which is no digit/],
  ['a fractional pixel', csv(header, row(3, 0.5, 'Training')), 2, /pixel 1 holds `\.`/],
  ['an emotion above 6', csv(header, good, row(7, 1, 'Training')), 3, /emotion is `7`, not 0 to 6/],
  ['a negative emotion', csv(header, row(-1, 1, 'Training')), 2, /emotion is `-1`/],
  ['an emotion that is no number', csv(header, row('happy', 1, 'Training')), 2, /emotion is `happy`/],
  ['an empty emotion', csv(header, row('', 1, 'Training')), 2, /emotion is ``/],
  [
    'an unknown Usage',
    csv(header, row(3, 1, 'Test')),
    2,
    /Usage is `Test`, not Training, PublicTest or PrivateTest/,
  ],
  ['a missing column', csv('emotion,pixels', `3,${face(1)}`), 1, /the header has no column `usage`/],
  ['an empty file', '', 1, /the file has no header/],
  ['a file that is no CSV', '\u0000\u0001PK\u0003', 1, /the header has no column `emotion`/],
  ['a stray quote', csv(header, `3,"${face(1)}"x,Training`), 2, /Quote/],
  ['a bad row in another Usage', csv(header, good, row(9, 1, 'PrivateTest')), 3, /emotion is `9`/],
]

for (const [what, text, line, reason] of broken) {
  test(`${what} is an error that names the file, the line and the cure`, async (t) => {
    const root = await temporaryFolder(t)
    const file = join(root, 'fer2013.csv')
    await writeFile(file, text)
    const error = await t.throwsAsync(fer2013(file).open('train'), { code: 'ERR_BAD_CSV', message: reason })
    t.true(error.message.startsWith(`Cannot read \`${file}\`, line ${line}: `), error.message)
    t.regex(error.message, /Correct the line, or take fer2013\.csv from its archive again$/)
  })
}

test('an unclosed quote stops the reading instead of swallowing the file', async (t) => {
  const root = await temporaryFolder(t)
  const rows = Array.from({ length: 100 }, () => good)
  await writeFiles(root, { 'fer2013.csv': csv(header, `3,"${face(1)},Training`, ...rows) })
  await t.throwsAsync(fer2013(root).open('train'), { code: 'ERR_BAD_CSV', message: /Max Record Size/ })
})

test('a header with no rows below it is an empty data set', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'fer2013.csv': csv(header) })
  await t.throwsAsync(fer2013(root).open('train'), {
    code: 'ERR_DATASET_EMPTY',
    message: /No row below the header/,
  })
})

test('a missing file is an error that names it', async (t) => {
  const root = await temporaryFolder(t)
  const file = join(root, 'fer2013.csv')
  await t.throwsAsync(fer2013(file).open('train'), {
    code: 'ERR_DATASET_NOT_FOUND',
    message: `Cannot open the data set \`${file}\`: it does not exist. Check the path`,
  })
})

test('a file corrected after an error is read anew, and one changed after a success too', async (t) => {
  const root = await temporaryFolder(t)
  const file = join(root, 'fer2013.csv')
  await writeFile(file, csv(header, row(8, 1, 'Training')))
  const data = fer2013(file)
  await t.throwsAsync(data.open('train'), { code: 'ERR_BAD_CSV' })
  await writeFile(file, small)
  const first = await data.open('train')
  t.is(first.samples.length, 2)
  t.is((await data.open('train')).fingerprint, first.fingerprint)
  await writeFile(file, csv(header, good))
  await utimes(file, 1, 1)
  const second = await data.open('train')
  t.is(second.samples.length, 1)
  t.not(second.fingerprint, first.fingerprint)
})

test('the image release reads as folders under the name of FER2013', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(5, 48, 48), ['train/angry/a.png', 'test/surprise/b.png']))
  const data = fer2013(root)
  t.is(data.name, `fer2013:${root}`)
  t.deepEqual(await data.splits(), ['train', 'test'])
  const split = await data.open('test')
  t.deepEqual([...split.classes], ['surprise', 'anger'])
  t.is(split.color, 'grey')
  t.is(split.pixels, undefined)
  await t.throwsAsync(data.open('validation'), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: /it has `train`, `test`/,
  })
})

const real = '../shared/data/fer2013'
const testReal = existsSync(real) ? test : test.skip

testReal('the real FER2013 has the pictures its README counts', async (t) => {
  const data = fer2013(real)
  t.deepEqual(await data.splits(), ['train', 'validation'])
  const [train, validation] = await Promise.all([data.open('train'), data.open('validation')])
  const perClass = (split: typeof train) =>
    split.classes.map((_, index) => split.samples.filter(({ label }) => label === index).length)
  t.deepEqual([...train.classes], ['surprise', 'fear', 'disgust', 'happiness', 'sadness', 'anger', 'neutral'])
  // The table of the README beside the data, its columns in canonical order.
  t.deepEqual(perClass(train), [3171, 4097, 436, 7215, 4830, 3995, 4965])
  t.deepEqual(perClass(validation), [415, 496, 56, 895, 653, 467, 607])
  t.is(train.samples.length, 28709)
  t.is(validation.samples.length, 3589)
  t.is(train.color, 'grey')
})
