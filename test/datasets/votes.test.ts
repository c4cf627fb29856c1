import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { Dataset, Sample, Split } from '../../lib/datasets/dataset.js'
import { fer2013 } from '../../lib/datasets/fer2013.js'
import { folder } from '../../lib/datasets/folder.js'
import { tensors } from '../../lib/datasets/tensors.js'
import { type VotesOptions, withVotes } from '../../lib/datasets/votes.js'
import { readVotes } from '../../lib/datasets/votes-file.js'
import { copies, greyPng, temporaryFolder, writeFiles } from './fixtures.js'

const csv = (...rows: readonly string[]) => `${rows.join('\n')}\n`

async function votesFile(t: ExecutionContext, text: string | Uint8Array): Promise<string> {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'votes.csv': text })
  return join(root, 'votes.csv')
}

const rowsOf = async (t: ExecutionContext, text: string | Uint8Array) => {
  const { bySample } = await readVotes(await votesFile(t, text))
  return [...bySample].map(([name, { expressions, none }]) => [name, Object.fromEntries(expressions), none])
}

/** Faces `a`, `b`, ... of the classes named, in memory. */
function faces(...classes: readonly ('happy' | 'sad' | 'anger')[]): Dataset {
  const names = ['happy', 'sad', 'anger']
  const data = tensors({
    pixels: { dtype: 'uint8', shape: [classes.length, 2, 2, 1], data: new Uint8Array(4 * classes.length) },
    labels: classes.map((name) => names.indexOf(name)),
    classes: names,
  })
  const rename = (sample: Sample, index: number) => ({ ...sample, name: 'abcdefgh'[index]! })
  return {
    ...data,
    open: async (split) => {
      const opened = await data.open(split)
      return { ...opened, samples: opened.samples.map(rename) }
    },
  }
}

/** The classes of `faces` in canonical order: happiness, sadness, anger. */
const header = 'file,happiness,sadness,anger,contempt,unknown,NF'

const judged = async (
  t: ExecutionContext,
  data: Dataset,
  rows: readonly string[],
  options: Partial<VotesOptions> = {},
) => withVotes(data, { file: await votesFile(t, csv(header, ...rows)), ...options }).open('train')

const summary = ({ samples }: Split) => samples.map(({ name, label, target }) => [name, label, target])

test('a target is how the votes divide once votes of one are dropped, and its largest part the label', async (t) => {
  const split = await judged(t, faces('happy', 'sad', 'anger'), [
    'a,4,1,3,0,2,0',
    'b,0,0,10,0,0,0',
    'c,3,3,0,0,0,0',
  ])
  t.deepEqual([...split.classes], ['happiness', 'sadness', 'anger'])
  t.deepEqual(summary(split), [
    ['a', 0, [4 / 7, 0, 3 / 7]], // the one vote for sadness is dropped
    ['b', 2, [0, 0, 1]],
    ['c', 0, [0.5, 0.5, 0]], // of two alike the first
  ])
})

test('a face without usable votes is left out and counted: too few, as many for no expression, none at all', async (t) => {
  const split = await judged(t, faces('happy', 'happy', 'happy', 'happy', 'happy', 'happy'), [
    'a,10,0,0,0,0,0',
    'b,1,1,1,0,0,0',
    'c,4,0,0,0,4,0',
    'd,4,0,0,0,1,1', // the two single votes, of two kinds, are dropped as all single ones are
    'e,,,,,,',
  ])
  t.deepEqual(
    split.samples.map(({ name }) => name),
    ['a', 'd'],
  )
  t.deepEqual(
    [...split.notes!],
    ['2 faces without usable votes left out', '2 faces without a row of votes left out'],
  )
})

test('single votes for unknown and for not a face are dropped each, not added up', async (t) => {
  const split = await judged(t, faces('happy', 'happy'), ['a,2,0,0,0,1,1', 'b,2,0,0,0,2,0'])
  t.deepEqual(summary(split), [['a', 0, [1, 0, 0]]])
})

test('a majority is more than half of the votes for expressions; without one the face is left out', async (t) => {
  const rows = ['a,4,0,3,0,0,0', 'b,4,2,2,0,0,0']
  const split = await judged(t, faces('sad', 'sad'), rows, { use: 'majority' })
  t.deepEqual(summary(split), [['a', 0, [1, 0, 0]]])
})

test('with a share below 1 label and faces stay, and the rest of the target is the label', async (t) => {
  const split = await judged(t, faces('sad', 'happy'), ['a,5,0,5,0,0,0'], { share: 0.8 })
  t.deepEqual(summary(split), [
    ['a', 1, [0.4, 1 - 0.8, 0.4]],
    ['b', 0, undefined],
  ])
  t.deepEqual([...split.notes!], ['1 face without a row of votes under the label of the data'])
  t.truthy(split.pixels, 'no face is left out, so the block in memory holds just these')
})

test('contempt is a class of its own where asked for, and its votes count for nothing elsewhere', async (t) => {
  const rows = ['a,2,0,0,6,0,0', 'b,2,0,0,0,0,0']
  t.deepEqual((await judged(t, faces('sad', 'sad'), rows)).samples[0]!.target, [1, 0, 0])
  const split = await judged(t, faces('sad', 'sad'), rows, { contempt: true })
  t.deepEqual([...split.classes], ['happiness', 'sadness', 'anger', 'contempt'])
  t.deepEqual(summary(split), [
    ['a', 3, [0.25, 0, 0, 0.75]],
    ['b', 0, [1, 0, 0, 0]],
  ])
})

test('classes of a data set of your own keep their order and names, known expressions or not', async (t) => {
  const plain = faces('happy', 'sad')
  const own: Dataset = {
    ...plain,
    open: async (split) => ({ ...(await plain.open(split)), classes: ['smirk', 'Sad', 'Happy'] }),
  }
  const split = await judged(t, own, ['a,9,0,0,0,0,0', 'b,2,2,0,0,0,0'], { share: 0.5 })
  t.deepEqual([...split.classes], ['smirk', 'Sad', 'Happy'])
  t.deepEqual(summary(split), [
    ['a', 0, [0.5, 0, 0.5]],
    ['b', 1, [0, 0.75, 0.25]],
  ])
})

test('votes over votes: the rest of a target is the target that the data have, and another class makes room', async (t) => {
  const first = withVotes(faces('happy', 'sad'), {
    file: await votesFile(t, csv(header, 'a,0,5,5,0,0,0', 'b,0,0,4,0,0,0')),
  })
  const rows = ['a,6,0,0,2,0,0']
  const split = await judged(t, first, rows, { share: 0.5, contempt: true })
  t.deepEqual(summary(split), [
    ['a', 1, [0.375, 0.25, 0.25, 0.125]],
    ['b', 2, [0, 0, 1, 0]],
  ])
})

test('a sample that reads by its class keeps doing so', async (t) => {
  class Face implements Sample {
    readonly name = 'a'
    readonly label = 0
    readonly #level = 7
    async read() {
      return { data: Uint8Array.of(this.#level), width: 1, height: 1, channels: 1 as const }
    }
  }
  const plain = faces('happy')
  const own: Dataset = {
    ...plain,
    open: async (split) => ({ ...(await plain.open(split)), samples: [new Face()] }),
  }
  const split = await judged(t, own, ['a,9,0,0,0,0,0'])
  t.is((await split.samples[0]!.read()).data[0], 7)
})

test('the fingerprint follows the votes and how they are used', async (t) => {
  const of = async (rows: string[], options: Partial<VotesOptions> = {}) =>
    (await judged(t, faces('happy'), rows, options)).fingerprint
  const plain = await of(['a,5,0,0,0,0,0'])
  t.is(plain, await of(['a,5,0,0,0,0,0']))
  const others = await Promise.all([
    of(['a,5,2,0,0,0,0']),
    of(['a,5,0,0,0,0,0'], { use: 'majority' }),
    of(['a,5,0,0,0,0,0'], { share: 0.5 }),
    of(['a,5,0,0,0,0,0'], { contempt: true }),
    (await faces('happy').open('train')).fingerprint,
  ])
  t.is(new Set([plain, ...others]).size, 6)
})

test('the block in memory goes where a face is left out', async (t) => {
  t.is((await judged(t, faces('happy', 'sad'), ['a,5,0,0,0,0,0'])).pixels, undefined)
  t.truthy((await judged(t, faces('happy', 'sad'), ['a,5,0,0,0,0,0', 'b,0,5,0,0,0,0'])).pixels)
})

test('name and splits are those of the data, and what the data refuse is refused', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(9), ['train/happy/a.png', 'test/happy/b.png']))
  const file = await votesFile(t, csv('file,happy,sad', 'train/happy/a.png,3,2'))
  const data = withVotes(folder(root), { file })
  t.is(data.name, `folder:${root} with votes of ${file}`)
  t.deepEqual(await data.splits(), ['train', 'test'])
  t.deepEqual(summary(await data.open('train')), [['train/happy/a.png', 0, [1]]]) // of classes it has happiness alone
  await t.throwsAsync(data.open('validation'), { code: 'ERR_UNKNOWN_SPLIT' })
})

test('votes for none of the faces are an error that shows how the faces are called', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, copies(await greyPng(9), ['train/happy/a.png']))
  const file = await votesFile(t, csv('file,happy,sad', 'a.png,3,2'))
  await t.throwsAsync(withVotes(folder(root), { file }).open('train'), {
    code: 'ERR_BAD_DATA',
    message: new RegExp(
      `^No row of \`${file}\` is for a face of the data, such as \`train/happy/a.png\`. Name`,
    ),
  })
})

test('votes of which none is of use are an error, whatever the share: the file most likely holds shares', async (t) => {
  for (const share of [1, 0.5])
    await t.throwsAsync(
      judged(t, faces('happy', 'sad'), ['a,0.7,0.3,0,0,0,0', 'b,0,0.9,0.1,0,0,0'], { share }),
      {
        code: 'ERR_BAD_DATA',
        message: /No face has usable votes in .*Give numbers of votes, not shares of them$/,
      },
    )
  await t.throwsAsync(judged(t, faces('happy'), ['a,0,0,0,0,0,0']), { code: 'ERR_BAD_DATA' })
})

test('options are checked at once', (t) => {
  const refused = (options: object, message: RegExp, code = 'ERR_INVALID_OPTION') =>
    t.throws(() => withVotes(faces('happy'), options as VotesOptions), { code, message })
  refused({}, /`file` to be a non-empty string/)
  refused({ file: 'votes.csv\0' }, /`file`/)
  refused({ file: 'votes.csv', use: 'sof' }, /`use` to be one of soft, majority \(did you mean `soft`\?\)/)
  refused({ file: 'votes.csv', share: 1.1 }, /`share` to be a number from 0 to 1/)
  refused({ file: 'votes.csv', share: Number.NaN }, /`share`/)
  refused({ file: 'votes.csv', contempt: 'yes' }, /`contempt` to be true or false/)
  refused({ file: 'votes.csv', shares: 1 }, /did you mean `share`/, 'ERR_UNKNOWN_OPTION')
  t.throws(() => withVotes('folder:faces' as never, { file: 'votes.csv' }), {
    message: /`data` to be a data set/,
  })
})

// What a votes file may look like.

test('columns in any order and case, by alias, others beside them, quotes, CRLF, blank lines and a byte-order mark are read', async (t) => {
  const text =
    '\uFEFFNF, Happy ,majority,SAD,Unknown,File\r\n\r\n1,2,happy,"3",4,"x, y.png"\r\n,,,,,z.png\r\n'
  t.deepEqual(await rowsOf(t, text), [['x, y.png', { happiness: 2, sadness: 3 }, [1, 4]]])
})

test('columns of one meaning are added up, as folders of one meaning are merged', async (t) => {
  t.deepEqual(await rowsOf(t, csv('file,happy,joy,sad', 'a,1,2,3')), [
    ['a', { happiness: 3, sadness: 3 }, []],
  ])
})

test('empty fields beside counts are no votes, and counts may have decimals', async (t) => {
  t.deepEqual(await rowsOf(t, csv('file,happy,sad', 'a,,2.5', 'b,1000000,')), [
    ['a', { happiness: 0, sadness: 2.5 }, []],
    ['b', { happiness: 1e6, sadness: 0 }, []],
  ])
})

test('names of Object.prototype are names as others are', async (t) => {
  const rows = await rowsOf(t, csv('file,happy,sad', '__proto__,1,2', 'constructor,3,4'))
  t.deepEqual(
    rows.map(([name]) => name),
    ['__proto__', 'constructor'],
  )
})

const row = 'a.png,3,2'
const broken: readonly (readonly [what: string, text: string, line: number, reason: RegExp])[] = [
  [
    'text for a count',
    csv('file,happy,sad', row, 'b.png,three,2'),
    3,
    /`happy` is `three`, not a number of votes/,
  ],
  ['a negative count', csv('file,happy,sad', 'b.png,3,-2'), 2, /`sad` is `-2`/],
  ['a huge count', csv('file,happy,sad', 'b.png,1000001,2'), 2, /`happy` is `1000001`/],
  ['a count beyond all', csv('file,happy,sad', `b.png,${'9'.repeat(400)},2`), 2, /`happy` is `9{100}\.\.\.`/],
  ['NaN', csv('file,happy,sad', 'b.png,NaN,2'), 2, /`happy` is `NaN`/],
  ['Infinity', csv('file,happy,sad', 'b.png,Infinity,2'), 2, /`happy` is `Infinity`/],
  ['a lone point', csv('file,happy,sad', 'b.png,.,2'), 2, /`happy` is `\.`/],
  ['two points', csv('file,happy,sad', 'b.png,1.2.3,2'), 2, /`happy` is `1\.2\.3`/],
  ['another notation', csv('file,happy,sad', 'b.png,1e1,2'), 2, /`happy` is `1e1`/],
  ['a hexadecimal count', csv('file,happy,sad', 'b.png,0x10,2'), 2, /`happy` is `0x10`/],
  ['a control character', csv('file,happy,sad', 'b.png,\u001b[31m,2'), 2, /`happy` is `\?\[31m`/],
  ['a bad count for unknown', csv('file,happy,sad,unknown', 'b.png,1,2,x'), 2, /`unknown` is `x`/],
  ['a row cut short', csv('file,happy,sad', row, 'b.png,3'), 3, /it has 2 fields where the header has 3/],
  ['a name with a comma', csv('file,happy,sad', 'b, c.png,3,2'), 2, /it has 4 fields where the header has 3/],
  ['a row without a name', csv('file,happy,sad', row, ' ,3,2'), 3, /it names no file/],
  ['a face twice', csv('file,happy,sad', row, row), 3, /`a\.png` has votes already/],
  ['a header without file', csv('name,happy,sad', row), 1, /the header has no column `file`/],
  ['a header of one expression', csv('file,happy,smile', row), 1, /names fewer than two expressions/],
  ['a column twice', csv('file,happy,sad,happy', 'a,1,2,3'), 1, /the header names `happy` twice/],
  ['a second column file', csv('file,happy,sad,file', 'a,1,2,b'), 1, /the header names `file` twice/],
  ['no header', csv(row, row), 1, /names fewer than two expressions/],
  ['other separators', csv('file;happy;sad', 'a.png;3;2'), 1, /names fewer than two expressions/],
  ['an empty file', '', 1, /the file has no header/],
  ['blank lines alone', '\n\n\n', 1, /the file has no header/],
  ['a file that is no CSV', '\u0000\u0001PK\u0003', 1, /names fewer than two expressions/],
  ['a stray quote', csv('file,happy,sad', 'a"b.png",3,2'), 2, /Quote/],
  ['an unclosed quote', csv('file,happy,sad', row, '"b.png,3,2'), 3, /Quote Not Closed/],
  ["FER+'s file without names", csv('usage,happy,sad', 'Training,3,2'), 1, /no column `file`/],
  [
    "FER+'s file with another Usage",
    csv('Usage,Image name,happy,sad', 'Training,x,3,2', 'Test,y,3,2'),
    3,
    /Usage is `Test`, not Training, PublicTest or PrivateTest/,
  ],
]

for (const [what, text, line, reason] of broken) {
  test(`${what} is an error that names the file and the line`, async (t) => {
    const file = await votesFile(t, text)
    const error = await t.throwsAsync(readVotes(file), { code: 'ERR_BAD_CSV', message: reason })
    t.true(error.message.startsWith(`Cannot read \`${file}\`, line ${line}: `), error.message)
    t.true(error.message.length < 500 + file.length, 'nor does it repeat the file')
  })
}

// More than the pipeline holds at once: its end must not hide the reason behind an AbortError.
const many = Array.from({ length: 20_000 }, (_, index) => `face-${index}.png,3,2`)

test('an error early in a long file is reported as what it is', async (t) => {
  const file = await votesFile(t, csv('file,happy,sad', 'b.png,x,2', ...many))
  await t.throwsAsync(readVotes(file), { code: 'ERR_BAD_CSV', message: /line 2: `happy` is `x`/ })
})

test('an unclosed quote stops the reading instead of swallowing the file', async (t) => {
  const file = await votesFile(t, csv('file,happy,sad', '"b.png,3,2', ...many))
  await t.throwsAsync(readVotes(file), { code: 'ERR_BAD_CSV', message: /Max Record Size/ })
})

test('a long file is read whole', async (t) => {
  const { bySample } = await readVotes(await votesFile(t, csv('file,happy,sad', ...many)))
  t.is(bySample.size, 20_000)
})

test('a file that is missing, a folder, or beneath a file is an error that names it', async (t) => {
  const root = await temporaryFolder(t)
  await writeFiles(root, { 'votes.csv': csv('file,happy,sad') })
  const refused = (path: string, message: RegExp) =>
    t.throwsAsync(withVotes(faces('happy'), { file: path }).open('train'), {
      code: 'ERR_DATASET_NOT_FOUND',
      message,
    })
  await refused(join(root, 'other.csv'), /other\.csv`: it does not exist/)
  await refused(root, /: it is not a file/)
  await refused(join(root, 'votes.csv', 'x'), /votes\.csv\/x`/)
})

test('a header alone has votes for nobody', async (t) => {
  await t.throwsAsync(judged(t, faces('happy'), []), { code: 'ERR_BAD_DATA', message: /No row of/ })
})

// FER+'s own file: its first rows as published (Barsoum et al.), joined with faces of any Usage by their number.

const plusHeader =
  'Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF'
const published = [
  'Training,fer0000000.png,4,0,0,1,3,2,0,0,0,0',
  'Training,,0,0,0,0,0,0,0,0,0,10', // no face: the image has no name
  'PublicTest,fer0028638.png,0,2,0,0,0,0,0,8,0,0',
  'Training,fer0000006.png,2,0,0,8,0,0,0,0,0,0',
]
const pixels = (value: number) => new Array(2304).fill(value).join(' ')
const ferRows = [
  `0,${pixels(1)},Training`,
  `0,${pixels(2)},Training`,
  `3,${pixels(3)},PublicTest`,
  `2,${pixels(4)},Training`,
]

async function ferPlus(t: ExecutionContext, faceRows: readonly string[], votes: readonly string[]) {
  const root = await temporaryFolder(t)
  await writeFiles(root, {
    'fer2013.csv': csv('emotion,pixels,Usage', ...faceRows),
    'fer2013new.csv': `${[plusHeader, ...votes].join('\r\n')}\r\n`,
  })
  return { data: fer2013(root), file: join(root, 'fer2013new.csv') }
}

test("FER+'s own file joins row n with row n of fer2013.csv, whatever the split", async (t) => {
  const { data, file } = await ferPlus(t, ferRows, published)
  const train = await withVotes(data, { file, contempt: true }).open('train')
  const classes = ['fear', 'happiness', 'anger', 'contempt'] // those of the faces, and contempt
  t.deepEqual([...train.classes], classes)
  t.deepEqual(summary(train), [['row 1', 2, [0, 0, 1, 0]]]) // row 4 is for sadness and neutral alone
  t.deepEqual([...train.notes!], ['2 faces without usable votes left out'])
  const validation = await withVotes(data, { file, contempt: true }).open('validation')
  t.deepEqual(summary(validation), [['row 3', 3, [0, 0.2, 0, 0.8]]])
})

test("FER+'s own file beside faces in another order than published is refused", async (t) => {
  const { data, file } = await ferPlus(t, [ferRows[2]!, ferRows[0]!, ferRows[1]!, ferRows[3]!], published)
  await t.throwsAsync(withVotes(data, { file }).open('train'), {
    code: 'ERR_BAD_DATA',
    message: /^`row 3` is a face of the split train, and of validation in `.*fer2013new\.csv`/,
  })
})

test("FER+'s own file beside pictures in folders is refused with the cure", async (t) => {
  const { file } = await ferPlus(t, ferRows, published)
  await t.throwsAsync(withVotes(faces('happy'), { file }).open('train'), {
    code: 'ERR_BAD_DATA',
    message: /FER\+'s own file goes with fer2013\.csv alone; for other data give the votes a column `file`/,
  })
})
