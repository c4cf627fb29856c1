import { mkdir, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Split } from '../../lib/datasets/dataset.js'
import { folder } from '../../lib/datasets/folder.js'
import { FerError } from '../../lib/errors.js'
import { colorPng, copies, greyPng, temporaryFolder, writeFiles } from './fixtures.js'

const names = (split: Split) => split.samples.map(({ name }) => name)
const labels = (split: Split) => split.samples.map(({ label }) => label)

test('a flat folder has no splits and answers any of them with all it has', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['happy/a.png', 'anger/b.png']))
  const data = folder(root)
  t.is(data.name, `folder:${root}`)
  t.deepEqual(await data.splits(), [])
  const [train, validation, held] = await Promise.all([
    data.open('train'),
    data.open('validation'),
    data.open('test'),
  ])
  t.deepEqual(names(train), ['happy/a.png', 'anger/b.png'])
  t.deepEqual(names(validation), names(train))
  t.deepEqual(names(held), names(train))
})

test('samples come by class in canonical order, then by name in code-unit order', async (t) => {
  const root = await temporaryFolder(t)
  const files = ['sad/b.png', 'sad/a10.png', 'sad/a9.png', 'sad/Z.png', 'Surprise/z.png', 'fear/m.png']
  await writeFiles(root, copies(await greyPng(7), files))
  const split = await folder(root).open('train')
  t.deepEqual([...split.classes], ['surprise', 'fear', 'sadness'])
  // Upper case before lower, and '1' before '9', as UTF-16 has them.
  t.deepEqual(names(split), [
    'Surprise/z.png',
    'fear/m.png',
    'sad/Z.png',
    'sad/a10.png',
    'sad/a9.png',
    'sad/b.png',
  ])
  t.deepEqual(labels(split), [0, 1, 2, 2, 2, 2])
})

test('every split lists the classes of all of them, under whichever name its folder goes', async (t) => {
  const root = await temporaryFolder(t)
  const files = ['Training/happy/a.png', 'VAL/contempt/b.png', 'testing/angry/c.png', 'testing/happy/d.png']
  await writeFiles(root, copies(await greyPng(7), files))
  const data = folder(root)
  t.deepEqual(await data.splits(), ['train', 'validation', 'test'])
  for (const name of await data.splits()) {
    t.deepEqual([...(await data.open(name)).classes], ['happiness', 'anger', 'contempt'])
  }
  t.deepEqual(labels(await data.open('validation')), [2])
  t.deepEqual(labels(await data.open('test')), [0, 1])
})

for (const [given, split] of [
  ['train', 'train'],
  ['training', 'train'],
  ['validation', 'validation'],
  ['valid', 'validation'],
  ['val', 'validation'],
  ['dev', 'validation'],
  ['test', 'test'],
  ['Testing', 'test'],
] as const) {
  test(`a folder called ${given} is the split ${split}`, async (t) => {
    const root = await temporaryFolder(t)
    await writeFiles(root, { [`${given}/happy/a.png`]: await greyPng(1) })
    t.deepEqual(await folder(root).splits(), [split])
  })
}

test('two folders of one meaning are one class', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['happy/a.png', 'happiness/b.png', 'JOY/c.png']))
  const split = await folder(root).open('train')
  t.deepEqual([...split.classes], ['happiness'])
  t.deepEqual(names(split), ['JOY/c.png', 'happiness/b.png', 'happy/a.png'])
  t.deepEqual(labels(split), [0, 0, 0])
})

test('files that are no pictures and hidden ones are passed over, at every level', async (t) => {
  const root = await temporaryFolder(t)
  const picture = await greyPng(7)
  await writeFiles(root, {
    ...copies(picture, ['happy/a.PNG', 'happy/.hidden.png', 'happy/nested/deep.png', '.cache/x/a.png']),
    ...copies(picture, ['__MACOSX/happy/a.png', 'stray.png']),
    'happy/Thumbs.db': 'x',
    'happy/.DS_Store': 'x',
    'happy/README.txt': 'x',
    'labels.csv': 'x',
  })
  await mkdir(join(root, 'happy', 'folder.png'))
  t.deepEqual(names(await folder(root).open('train')), ['happy/a.PNG'])
})

test('links to folders and pictures count as what they lead to', async (t) => {
  const root = await temporaryFolder(t)
  const elsewhere = await temporaryFolder(t)
  await writeFiles(elsewhere, { 'pictures/a.png': await greyPng(9) })
  await symlink(join(elsewhere, 'pictures'), join(root, 'happy'))
  await mkdir(join(root, 'sad'))
  await symlink(join(elsewhere, 'pictures', 'a.png'), join(root, 'sad', 'b.png'))
  const split = await folder(root).open('train')
  t.deepEqual(names(split), ['happy/a.png', 'sad/b.png'])
  t.deepEqual([...(await split.samples[1]!.read()).data], new Array(16).fill(9))
})

test('a broken link fails by its name when it is read, not before', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'happy/a.png': await greyPng(9) })
  await symlink(join(root, 'nowhere.png'), join(root, 'happy', 'b.png'))
  const split = await folder(root).open('train')
  t.is(split.samples.length, 2)
  await t.throwsAsync(split.samples[1]!.read(), { code: 'ERR_BAD_IMAGE', message: /happy.b\.png.*not exist/ })
})

test('a missing folder is an error that names it', async (t) => {
  const root = await temporaryFolder(t)
  const path = join(root, 'faces')
  const error = await t.throwsAsync(folder(path).open('train'), { instanceOf: FerError })
  t.is(error.message, `Cannot open the data set \`${path}\`: it does not exist. Check the path`)
  t.is(error.code, 'ERR_DATASET_NOT_FOUND')
  await t.throwsAsync(folder(path).splits(), { code: 'ERR_DATASET_NOT_FOUND' })
})

test('a file where a folder should be is an error that says so', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'faces.zip': 'PK' })
  await t.throwsAsync(folder(join(root, 'faces.zip')).open('train'), {
    code: 'ERR_DATASET_NOT_FOUND',
    message: /faces\.zip`: it is a file, not a folder\. Give the folder/,
  })
})

test('a folder without class folders is an error that tells the layout', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'a.png': await greyPng(7) })
  await t.throwsAsync(folder(root).open('train'), {
    code: 'ERR_DATASET_EMPTY',
    message: /^No class folder in .* Put the pictures into folders named after their expression/,
  })
})

test('an empty split is an error that names it, and no obstacle to the others', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'train/happy/a.png': await greyPng(7) })
  await mkdir(join(root, 'val'))
  const data = folder(root)
  t.is((await data.open('train')).samples.length, 1)
  await t.throwsAsync(data.open('validation'), {
    code: 'ERR_DATASET_EMPTY',
    message: /No class folder in .*val`/,
  })
})

test('an empty class folder is an error that names it and the extensions looked for', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'happy/a.png': await greyPng(7), 'sad/face.bmp': 'BM', 'sad/Thumbs.db': 'x' })
  await t.throwsAsync(folder(root).open('train'), {
    code: 'ERR_DATASET_EMPTY',
    message: /^No picture \(jpg, .*avif\) in the class folder `.*sad`\. Add some, or remove the folder$/,
  })
})

test('an unknown class folder is an error that names it, the known names and the cure, for any split', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['train/happy/a.png', 'test/ecstatic/b.png']))
  await t.throwsAsync(folder(root).open('train'), {
    code: 'ERR_UNKNOWN_CLASS',
    message: /test.ecstatic` is not a known expression \(surprise, .*contempt.*\)\. Rename it/,
  })
})

test('class folders beside split folders are an error', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['train/happy/a.png', 'sad/b.png']))
  await t.throwsAsync(folder(root).splits(), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: /sad` lies beside folders of splits .* Move it/,
  })
})

test('two folders for one split are an error, as merging them could double the faces', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['val/happy/a.png', 'validation/happy/b.png']))
  await t.throwsAsync(folder(root).open('validation'), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: /Both `val` and `validation` .* Merge the two/,
  })
})

test('a missing split is an error that lists those present', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['train/happy/a.png', 'test/happy/b.png']))
  await t.throwsAsync(folder(root).open('validation'), {
    code: 'ERR_UNKNOWN_SPLIT',
    message: `No split \`validation\` in \`${root}\`: it has \`train\`, \`test\`. Choose one of those, or add the missing split`,
  })
})

test('a path that is no string is refused at once', (t) => {
  t.throws(() => folder(undefined as unknown as string), { code: 'ERR_INVALID_OPTION', message: /undefined/ })
  t.throws(() => folder(''), { code: 'ERR_INVALID_OPTION', message: /empty string/ })
})

test('the colour is grey only where every probed picture is', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(7), ['happy/a.png', 'sad/b.png']))
  t.is((await folder(root).open('train')).color, 'grey')
  await writeFiles(root, { 'sad/c.png': await colorPng('#c8321e') })
  t.is((await folder(root).open('train')).color, 'rgb')
})

test('a picture that cannot be read makes the colour rgb and fails when it is decoded', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'happy/a.png': await greyPng(7), 'happy/b.png': '' })
  const split = await folder(root).open('train')
  t.is(split.color, 'rgb')
  await t.throwsAsync(split.samples[1]!.read(), {
    code: 'ERR_BAD_IMAGE',
    message: /happy.b\.png`: it is empty/,
  })
})

test('the probe reaches over the whole split: one coloured class in forty pictures is found', async (t) => {
  const root = await temporaryFolder(t)
  const numbered = (name: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${name}/${index}.png`)
  await writeFiles(root, copies(await greyPng(7), numbered('fear', 36)))
  await writeFiles(root, copies(await colorPng('#c8321e'), numbered('neutral', 4)))
  t.is((await folder(root).open('train')).color, 'rgb')
})

test('the fingerprint stays while nothing changes, and changes with content, name, class or split', async (t) => {
  const root = await temporaryFolder(t)
  const picture = await greyPng(7)
  await writeFiles(root, copies(picture, ['train/happy/a.png', 'train/sad/b.png', 'test/happy/a.png']))
  const fingerprint = async (split: 'train' | 'test' = 'train') =>
    (await folder(root).open(split)).fingerprint
  const first = await fingerprint()
  t.regex(first, /^[0-9a-f]{64}$/)
  t.is(await fingerprint(), first)

  const seen = new Set([first, await fingerprint('test')])
  await utimes(join(root, 'train/happy/a.png'), 1, 1)
  seen.add(await fingerprint())
  await writeFile(join(root, 'train/sad/c.png'), picture)
  seen.add(await fingerprint())
  await rm(join(root, 'train/sad/c.png'))
  await writeFiles(root, { 'test/anger/x.png': picture })
  seen.add(await fingerprint())
  t.is(seen.size, 5)
})
