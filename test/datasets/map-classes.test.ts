import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import type { Dataset, Split } from '../../lib/datasets/dataset.js'
import { folder } from '../../lib/datasets/folder.js'
import { type ClassMapping, mapClasses } from '../../lib/datasets/map-classes.js'
import { datasets, train } from '../../lib/index.js'
import { smallRun } from '../trained.js'
import { blockOf, type Level, levels, spread } from '../training/levels.js'
import { copies, greyPng, temporaryFolder, writeFiles } from './fixtures.js'

const classes = ['disgust', 'happiness', 'contempt']
const [disgust, happiness, contempt] = [0, 1, 2]

const mapped = (faces: readonly Level[], mapping: ClassMapping, given: Partial<Split> = {}, own = classes) =>
  mapClasses(levels('faces', own, faces, given), mapping).open('train')

const summary = ({ samples }: Split) => samples.map(({ name, label, target }) => [name, label, target])

const three = [
  { level: 1, label: contempt },
  { level: 2, label: happiness },
  { level: 3, label: disgust },
]

test('a class is merged into another, and the pictures stay', async (t) => {
  const split = await mapped(three, { contempt: 'disgust' }, { pixels: blockOf(three) })
  t.deepEqual([...split.classes], ['disgust', 'happiness'])
  t.deepEqual(summary(split), [
    ['face 0', 0, undefined],
    ['face 1', 1, undefined],
    ['face 2', 0, undefined],
  ])
  t.is(split.pixels!.shape[0], 3)
  t.is((await split.samples[0]!.read()).data[0], 1)
  t.deepEqual([...split.notes!], [])
})

test('a class is left out, its faces are counted, and a block in memory that would hold them goes', async (t) => {
  const faces = [...three, { level: 4, label: contempt }]
  const split = await mapped(faces, { contempt: null }, { pixels: blockOf(faces), notes: ['as before'] })
  t.deepEqual([...split.classes], ['disgust', 'happiness'])
  t.deepEqual(summary(split), [
    ['face 1', 1, undefined],
    ['face 2', 0, undefined],
  ])
  t.is(split.pixels, undefined)
  t.deepEqual([...split.notes!], ['as before', '2 faces left out with contempt'])
  t.is((await split.samples[0]!.read()).data[0], 2, 'each sample still reads its own picture')
})

test('a class may become one that the data have not, which then stands in canonical order', async (t) => {
  const split = await mapped(three, { contempt: 'surprise' })
  t.deepEqual([...split.classes], ['surprise', 'disgust', 'happiness'])
  t.deepEqual(
    split.samples.map(({ label }) => label),
    [0, 2, 1],
  )
})

test('all classes change at once: two may change places, and none is renamed twice', async (t) => {
  const swapped = await mapped(three, { contempt: 'disgust', disgust: 'contempt' })
  t.deepEqual(
    swapped.samples.map(({ label }) => swapped.classes[label]),
    ['disgust', 'happiness', 'contempt'],
  )
  const chain = await mapped(three, { contempt: 'disgust', disgust: null })
  t.deepEqual(summary(chain), [
    ['face 0', 0, undefined],
    ['face 1', 1, undefined],
  ])
})

test('keys and values may be usual aliases, in any case', async (t) => {
  const split = await mapped(three, { ' Contemptuous': 'DISGUSTED', joy: 'Happy' })
  t.deepEqual([...split.classes], ['disgust', 'happiness'])
  t.is(split.samples[0]!.label, 0)
})

test('targets follow: merged parts add up, dropped ones go and the rest is scaled to sum 1', async (t) => {
  const faces = [
    { level: 1, label: happiness, target: [0.25, 0.5, 0.25] },
    { level: 2, label: contempt, target: [0, 0.25, 0.75] },
  ]
  t.deepEqual(summary(await mapped(faces, { contempt: 'disgust' })), [
    ['face 0', 1, [0.5, 0.5]],
    ['face 1', 0, [0.75, 0.25]],
  ])
  const dropped = await mapped(faces, { contempt: null })
  t.deepEqual(summary(dropped), [['face 0', 1, [1 / 3, 2 / 3]]]) // 0.25 and 0.5 of 0.75
  t.deepEqual([...dropped.notes!], ['1 face left out with contempt'])
})

test('a face whose target loses everything is left out, even where its label stays', async (t) => {
  const faces = [
    { level: 1, label: happiness, target: [0, 0, 1] },
    { level: 2, label: happiness, target: [0, 1, 0] },
  ]
  const split = await mapped(faces, { contempt: null })
  t.deepEqual(summary(split), [['face 1', 1, [0, 1]]])
  t.deepEqual([...split.notes!], ['1 face left out with contempt'])
})

test('a label that was the largest of its target is so afterwards, and any other label stays', async (t) => {
  const split = await mapped(
    [
      { level: 1, label: happiness, target: [0.3, 0.4, 0.3] },
      { level: 2, label: happiness, target: [0.5, 0.25, 0.25] }, // was not the largest
      { level: 3, label: happiness, target: [0.1, 0.3, 0.2] }, // 0.1 + 0.2 is 0.30000000000000004
    ],
    { contempt: 'disgust' },
  )
  t.deepEqual(
    split.samples.map(({ label }) => split.classes[label]),
    ['disgust', 'happiness', 'happiness'],
  )
})

test('where nothing changes the split is the very one of the data, fingerprint and all', async (t) => {
  const plain = await levels('faces', classes, three).open('train')
  for (const mapping of [{}, { fear: null }, { anger: 'fear' }, { happy: 'happiness' }]) {
    const split = await mapped(three, mapping)
    t.is(split.fingerprint, plain.fingerprint)
    t.deepEqual(summary(split), summary(plain))
  }
})

test('what changes has a fingerprint of its own, by what becomes of the classes', async (t) => {
  const of = async (mapping: ClassMapping, faces: readonly Level[] = three) =>
    (await mapped(faces, mapping)).fingerprint
  const all = await Promise.all([
    of({}),
    of({ contempt: null }),
    of({ contempt: 'disgust' }),
    of({ contempt: 'happiness' }),
    of({ contempt: 'disgust', disgust: 'contempt' }),
    of({ contempt: 'disgust' }, three.slice(1)),
  ])
  t.is(new Set(all).size, 6)
  t.is(await of({ contemptuous: 'disgusted' }), all[2])
})

test('a data set of your own may have other classes, which stay, and aliases, which become expressions', async (t) => {
  const split = await mapped(three, { contempt: 'happy' }, {}, ['smirk', 'Happy', 'contempt'])
  t.deepEqual([...split.classes], ['smirk', 'happiness'])
  t.deepEqual(
    split.samples.map(({ label }) => label),
    [1, 1, 0],
  )
})

test('splits are those of the data, and one it lacks is refused', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(
    root,
    copies(await greyPng(9), ['train/happy/a.png', 'train/sad/b.png', 'test/happy/c.png']),
  )
  const data = mapClasses(folder(root), { sad: null })
  t.is(data.name, `folder:${root}, without sadness`)
  t.deepEqual(await data.splits(), ['train', 'test'])
  t.deepEqual(summary(await data.open('train')), [['train/happy/a.png', 0, undefined]])
  t.deepEqual([...(await data.open('test')).classes], ['happiness'])
  t.deepEqual([...(await data.open('test')).notes!], [], 'of the test split no face was left out')
  await t.throwsAsync(data.open('validation'), { code: 'ERR_UNKNOWN_SPLIT' })
  t.is(
    mapClasses(data, { happy: 'sad', fear: null }).name,
    `${data.name}, happiness as sadness, without fear`,
  )
})

test('nothing is read before a split is opened', (t) => {
  const never = (): never => t.fail() as never
  t.notThrows(() => mapClasses({ name: 'x', splits: never, open: never }, { contempt: null }))
})

test('a mapping that leaves no face is an error; a split that was empty stays so', async (t) => {
  await t.throwsAsync(mapped(three, { contempt: null, disgust: null, happiness: null }), {
    code: 'ERR_DATASET_EMPTY',
    message: /^No face of `faces` is left without disgust, happiness, contempt\. /,
  })
  t.is((await mapped([], { contempt: null })).samples.length, 0)
})

test('a label that the data do not know is left for the training to refuse', async (t) => {
  const split = await mapped([...three, { level: 9, label: 7 }], { contempt: 'disgust' })
  t.is(split.samples[3]!.label, 7)
})

test('an unknown class is refused at once, with the near name', (t) => {
  const refused = (mapping: unknown, message: RegExp, code = 'ERR_UNKNOWN_CLASS') =>
    t.throws(() => mapClasses(levels('faces', classes, three), mapping as ClassMapping), { code, message })
  refused({ contemp: null }, /^The class `contemp` is not a known expression .*Did you mean `contempt`\?$/)
  refused({ contempt: 'digust' }, /^`mapping\.contempt`, `digust` is not .*Did you mean `disgust`\?$/)
  refused({ smirk: null }, /`smirk` is not a known expression \(surprise, .*\)\. Take one of those$/)
  refused(JSON.parse('{"__proto__": null}'), /`__proto__`/)
  refused({ ['x\u001b'.repeat(500)]: null }, /^.{1,400}$/)
  refused({ contempt: undefined }, /`mapping\.contempt` to be an expression, or null/, 'ERR_INVALID_OPTION')
  refused({ contempt: 3 }, /`mapping\.contempt`.*got `3`/, 'ERR_INVALID_OPTION')
  refused({ happy: 'sad', joy: 'fear' }, /names happiness once, got `joy`/, 'ERR_INVALID_OPTION')
  for (const mapping of [null, undefined, 'contempt', ['contempt']])
    refused(mapping, /`mapping` to be an object such as/, 'ERR_INVALID_OPTION')
  t.throws(() => mapClasses('folder:faces' as unknown as Dataset, {}), { message: /`data` to be a data set/ })
})

test('two data sets of other classes train together once they are mapped, one shown half as often', async (t) => {
  const own = levels('own', ['happiness', 'sadness'], spread(0, 10, 0, 1))
  const other = levels('other', classes, spread(100, 10, disgust, happiness, contempt))
  const data = datasets.mapClasses(other, { contempt: 'sadness', disgust: null })
  const options = { ...smallRun(), data: [own, { data, weight: 0.5 }], batchSize: 5, head: 'gap' as const }
  const run = train(options)
  const { model, metrics } = await run
  t.deepEqual([...model.info.classes], ['happiness', 'sadness'])
  for await (const event of run) {
    if (event.type !== 'start') continue
    // A tenth of each class of each set is held out, one of ten: 18 stay of either.
    t.deepEqual(event.faces, { training: 36, validation: 4, copies: 0, leaked: 0 })
    t.deepEqual([...event.notes], ['10 faces left out with disgust'])
    t.is(event.steps, 5) // 18 and half of 18 are 27 pictures an epoch, five whole batches of 5
  }
  t.is(metrics.samples, 4)
  t.like(JSON.parse(await readFile(join(options.output, 'metrics.json'), 'utf8')).provenance, {
    data: 'own; other, contempt as sadness, without disgust',
  })
})
