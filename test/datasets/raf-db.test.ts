import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import sharp from 'sharp'
import type { Split } from '../../lib/datasets/dataset.js'
import { rafDb } from '../../lib/datasets/raf-db.js'
import { parseSpec } from '../../lib/datasets/spec.js'
import { FerError } from '../../lib/errors.js'
import { temporaryFolder, writeFiles } from './fixtures.js'

const listPath = 'EmoLabel/list_patition_label.txt'
const lines = (...texts: readonly string[]) => texts.map((text) => `${text}\n`).join('')
const small = lines('train_00001.jpg 5', 'train_00002.jpg 4', 'train_00003.jpg 1', 'test_0001.jpg 7')

const jpeg = (background: string) =>
  sharp({ create: { width: 4, height: 4, channels: 3, background } })
    .jpeg()
    .toBuffer()

// The other files of the release lie beside the aligned faces and must not be mistaken for them.
async function writeBasic(root: string, list: string) {
  const stems = [...list.matchAll(/^(\w+)\.jpg /gm)].map(([, stem]) => stem)
  const face = await jpeg('#c8321e')
  await writeFiles(root, {
    [listPath]: list,
    ...Object.fromEntries(stems.map((stem) => [`Image/aligned/${stem}_aligned.jpg`, face])),
    'Image/original/train_00001.jpg': 'not read',
    'Annotation/boundingbox/train_00001_boundingbox.txt': '0 0 4 4',
  })
}

async function basicFolder(t: ExecutionContext, list = small): Promise<string> {
  const root = await temporaryFolder(t)
  await writeBasic(root, list)
  return root
}

const names = (split: Split) => split.samples.map(({ name }) => name)
const classNames = ({ samples, classes }: Split) => samples.map(({ label }) => classes[label])

test('the list gives splits, labels and order, and the classes are those of any split', async (t) => {
  const data = rafDb(await basicFolder(t))
  t.deepEqual(await data.splits(), ['train', 'test'])
  const [train, held] = await Promise.all([data.open('train'), data.open('test')])
  t.deepEqual([...train.classes], ['surprise', 'happiness', 'sadness', 'neutral'])
  t.deepEqual([...held.classes], [...train.classes])
  t.deepEqual(
    names(train),
    [1, 2, 3].map((number) => `Image/aligned/train_0000${number}_aligned.jpg`),
  )
  t.deepEqual(classNames(train), ['sadness', 'happiness', 'surprise'])
  t.deepEqual(classNames(held), ['neutral'])
})

test('labels 1 to 7 are the expressions as the release numbers them', async (t) => {
  const all = [1, 2, 3, 4, 5, 6, 7].map((label) => `train_0000${8 - label}.jpg ${label}`)
  const train = await rafDb(await basicFolder(t, lines(...all))).open('train')
  const expected = ['surprise', 'fear', 'disgust', 'happiness', 'sadness', 'anger', 'neutral']
  t.deepEqual(classNames(train), expected)
  t.is(names(train)[0], 'Image/aligned/train_00007_aligned.jpg') // the order of the list, not of the names
})

test('the folder above `basic` serves too, and a word names the data set', async (t) => {
  const root = await temporaryFolder(t)
  await writeBasic(join(root, 'basic'), small)
  const data = parseSpec(`raf-db:${root}`)
  t.is(data.name, `raf-db:${root}`)
  const train = await data.open('train')
  t.is(names(train)[0], 'Image/aligned/train_00001_aligned.jpg')
  const { width, height, channels, data: pixels } = await train.samples[0]!.read()
  t.deepEqual([width, height, channels], [4, 4, 3])
  t.true(Math.abs(pixels[0]! - 0xc8) <= 3) // JPEG is lossy
})

test('carriage returns, a byte-order mark, blank lines and no last line break are fine', async (t) => {
  const root = await basicFolder(t)
  await writeFile(join(root, listPath), '\ufefftrain_00001.jpg 5\r\ntest_0001.jpg 7\r\n\r\n\n')
  t.deepEqual(await rafDb(root).splits(), ['train', 'test'])
  await writeFile(join(root, listPath), 'test_0001.jpg 7')
  t.deepEqual(await rafDb(root).splits(), ['test'])
})

test('the colour is that of the aligned pictures of the split', async (t) => {
  const root = await basicFolder(t)
  const grey = sharp({ create: { width: 4, height: 4, channels: 3, background: '#777' } }).toColourspace(
    'b-w',
  )
  await writeFiles(root, { 'Image/aligned/test_0001_aligned.jpg': await grey.jpeg().toBuffer() })
  t.is((await rafDb(root).open('train')).color, 'rgb')
  t.is((await rafDb(root).open('test')).color, 'grey')
})

test('the fingerprint stays while nothing changes, and changes with split, label, list and picture', async (t) => {
  const root = await basicFolder(t)
  const fingerprint = async (split: 'train' | 'test' = 'train') => (await rafDb(root).open(split)).fingerprint
  const first = await fingerprint()
  t.regex(first, /^[0-9a-f]{64}$/)
  t.is(await fingerprint(), first)

  const seen = new Set([first, await fingerprint('test')])
  await utimes(join(root, 'Image/aligned/train_00002_aligned.jpg'), 1, 1)
  seen.add(await fingerprint())
  await writeFile(join(root, listPath), small.replace('00002.jpg 4', '00002.jpg 1'))
  seen.add(await fingerprint())
  await writeFile(join(root, listPath), small.replace('train_00002.jpg 4\n', ''))
  seen.add(await fingerprint())
  t.is(seen.size, 5)
})

test('a folder without the list is an error that says what was looked for', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'Image/aligned/train_00001_aligned.jpg': await jpeg('#777') })
  const error = await t.throwsAsync(rafDb(root).open('train'), { instanceOf: FerError })
  t.is(error.code, 'ERR_DATASET_NOT_FOUND')
  t.is(
    error.message,
    `No RAF-DB in \`${root}\`: neither \`${listPath}\` nor \`basic/${listPath}\` lies there. ` +
      'Give the folder `basic` of RAF-DB, which holds `EmoLabel` and `Image`, or the one above it',
  )
  await t.throwsAsync(rafDb(join(root, 'nowhere')).splits(), { code: 'ERR_DATASET_NOT_FOUND' })
  await t.throwsAsync(rafDb(join(root, 'Image/aligned/train_00001_aligned.jpg')).splits(), {
    code: 'ERR_DATASET_NOT_FOUND',
  })
})

test('a list that cannot be read is an error that names it', async (t) => {
  const root = await temporaryFolder(t)
  await mkdir(join(root, listPath), { recursive: true })
  await t.throwsAsync(rafDb(root).open('train'), {
    code: 'ERR_DATASET_NOT_FOUND',
    message: /list_patition_label\.txt`: it is not a file/,
  })
})

for (const [what, bad, reason] of [
  ['a line without a label', 'train_00009.jpg', 'it is `train_00009.jpg`, not a name and a label'],
  ['a line with a third word', 'train_00009.jpg 1 2', 'it is `train_00009.jpg 1 2`, not a name and a label'],
  ['a label beyond 7', 'train_00009.jpg 8', 'the label is `8`, not 1 to 7'],
  ['a label of 0', 'train_00009.jpg 0', 'the label is `0`, not 1 to 7'],
  ['a label in words', 'train_00009.jpg happy', 'the label is `happy`, not 1 to 7'],
  ['a name of no split', 'val_00009.jpg 3', 'the name `val_00009.jpg` is not of the form'],
  ['a name that leads elsewhere', 'train_/../../a.jpg 3', 'the name `train_/../../a.jpg` is not of the form'],
  ['the same with a backslash', 'train_..\\a.jpg 3', 'the name `train_..\\a.jpg` is not of the form'],
  ['a name of another kind of file', 'train_00009.png 3', 'the name `train_00009.png` is not of the form'],
  ['a name that comes twice', 'train_00002.jpg 4', '`train_00002.jpg` stands in line 2 already'],
  ['a line with control characters', 'train_\x1b[31m.jpg', 'it is `train_?[31m.jpg`, not a name and a label'],
  ['a very long line', 'x'.repeat(10_000), `it is \`${'x'.repeat(40)}...\`, not a name`],
] as const) {
  test(`${what} is an error that names file, line and cure`, async (t) => {
    const root = await basicFolder(t)
    await writeFile(join(root, listPath), lines(small, bad)) // a blank line 5, then line 6
    const error = await t.throwsAsync(rafDb(root).open('test'), { instanceOf: FerError })
    t.is(error.code, 'ERR_BAD_DATA')
    t.true(
      error.message.startsWith(`Cannot read \`${join(root, listPath)}\`, line 6: ${reason}`),
      error.message,
    )
    t.true(error.message.endsWith('Correct the line, or take the list from its archive again'))
  })
}

test('a list without a face is an error', async (t) => {
  const root = await basicFolder(t, '\ufeff\r\n\n')
  await t.throwsAsync(rafDb(root).open('train'), {
    code: 'ERR_DATASET_EMPTY',
    message: `No face in \`${join(root, listPath)}\`. Take the list from its archive again`,
  })
})

test('a split that no line has is an error that lists those present', async (t) => {
  const root = await basicFolder(t)
  await t.throwsAsync(rafDb(root).open('validation'), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: /No split `validation` in .*: it has `train`, `test`\./,
  })
})

test('a missing picture is an error when its split is opened, and only then', async (t) => {
  const root = await basicFolder(t)
  const picture = (number: number) => join(root, `Image/aligned/train_0000${number}_aligned.jpg`)
  await rm(picture(2))
  await t.throwsAsync(rafDb(root).open('train'), {
    code: 'ERR_BAD_DATA',
    message:
      `1 picture of \`${join(root, listPath)}\` cannot be found: \`${picture(2)}\` of line 2. ` +
      'Unpack `Image/aligned` again, or take the lines out of the list',
  })
  await rm(picture(3))
  await mkdir(picture(3)) // a folder is no picture
  await t.throwsAsync(rafDb(root).open('train'), {
    code: 'ERR_BAD_DATA',
    message: /^2 pictures of .*train_00002_aligned\.jpg` of line 2 is the first\. Unpack/,
  })
  t.is((await rafDb(root).open('test')).samples.length, 1)
})

test('a path that is no string is refused at once', (t) => {
  t.throws(() => rafDb(undefined as unknown as string), { code: 'ERR_INVALID_OPTION', message: /undefined/ })
  t.throws(() => parseSpec('raf-db:'), { code: 'ERR_INVALID_OPTION', message: /raf-db:PATH/ })
})
