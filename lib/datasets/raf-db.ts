import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import pMap from 'p-map'
import { FerError } from '../errors.js'
import { decode } from '../images/decode.js'
import { probeColor } from '../images/probe.js'
import { type Dataset, type Sample, type Split, type SplitName, splitNames } from './dataset.js'
import { inCanonicalOrder } from './expressions.js'
import { requirePath, unknownSplit, unreadable } from './problems.js'
import { type ListedFace, readRafDbList } from './raf-db-list.js'

const listPath = 'EmoLabel/list_patition_label.txt' // spelt as it is distributed
const picturePath = ({ name }: ListedFace) => `Image/aligned/${name}_aligned.jpg`

// Above the four threads that libuv gives the file system, so that these never wait for JavaScript.
const statConcurrency = 16

/**
 * RAF-DB, its seven basic expressions (Li, Deng & Du, CVPR 2017), as it is distributed: the folder `basic`, or the
 * one above it. The aligned faces are read, in the order of `EmoLabel/list_patition_label.txt`; the splits are train
 * and test.
 *
 * Rejects with ERR_DATASET_NOT_FOUND, ERR_DATASET_EMPTY, ERR_UNKNOWN_SPLIT or, where a line is wrong or a picture of
 * the split is not there, ERR_BAD_DATA.
 */
export function rafDb(path: string): Dataset {
  requirePath(path)
  return {
    name: `raf-db:${path}`,
    splits: async () => presentSplits((await readList(path)).faces),
    open: async (split) => openSplit(path, split, await readList(path)),
  }
}

interface List {
  readonly root: string
  readonly faces: readonly ListedFace[]
}

async function readList(path: string): Promise<List> {
  for (const root of [path, join(path, 'basic')]) {
    try {
      const file = join(root, listPath)
      if (!(await stat(file)).isFile()) throw unreadable(file, new Error('it is not a file'))
      return { root, faces: await readRafDbList(file) }
    } catch (cause) {
      if (cause instanceof FerError) throw cause
      if (!isMissing(cause)) throw unreadable(join(root, listPath), cause)
    }
  }
  throw new FerError(
    'ERR_DATASET_NOT_FOUND',
    `No RAF-DB in \`${path}\`: neither \`${listPath}\` nor \`basic/${listPath}\` lies there. ` +
      'Give the folder `basic` of RAF-DB, which holds `EmoLabel` and `Image`, or the one above it.',
  )
}

const isMissing = (cause: unknown) => ['ENOENT', 'ENOTDIR'].includes(String(Object(cause).code))

const presentSplits = (faces: readonly ListedFace[]) =>
  splitNames.filter((name) => faces.some(({ split }) => split === name))

async function openSplit(path: string, wanted: SplitName, { root, faces }: List): Promise<Split> {
  const chosen = faces.filter(({ split }) => split === wanted)
  if (chosen.length === 0) throw unknownSplit(path, wanted, presentSplits(faces))
  const classes = inCanonicalOrder(faces.map(({ expression }) => expression))
  const samples = chosen.map((face): Sample => {
    const name = picturePath(face)
    return { name, label: classes.indexOf(face.expression), read: () => decode(join(root, name)) }
  })
  const stamps = await stampsOf(root, chosen)
  const color = await probeColor(samples.map(({ name }) => join(root, name)))
  return { classes, color, samples, fingerprint: fingerprintOf(root, classes, samples, stamps) }
}

/** Size and time of change of every picture, all of which must be there. */
async function stampsOf(root: string, faces: readonly ListedFace[]) {
  const files = await pMap(faces, (face) => stat(join(root, picturePath(face))).catch(() => undefined), {
    concurrency: statConcurrency,
  })
  const missing = faces.filter((_, index) => !files[index]?.isFile())
  if (missing.length > 0) throw withoutPictures(root, missing)
  return files.map((file) => [file?.size, file?.mtimeMs])
}

function withoutPictures(root: string, missing: readonly ListedFace[]): FerError {
  const [first] = missing as [ListedFace]
  const count = missing.length === 1 ? '1 picture' : `${missing.length} pictures`
  return new FerError(
    'ERR_BAD_DATA',
    `${count} of \`${join(root, listPath)}\` cannot be found: ` +
      `\`${join(root, picturePath(first))}\` of line ${first.line}${missing.length === 1 ? '' : ' is the first'}. ` +
      'Unpack `Image/aligned` again, or take the lines out of the list.',
  )
}

function fingerprintOf(
  root: string,
  classes: readonly string[],
  samples: readonly Sample[],
  stamps: readonly unknown[],
): string {
  const content = samples.map(({ name, label }, index) => [name, label, stamps[index]])
  return createHash('sha256')
    .update(JSON.stringify([resolve(root), classes, content]))
    .digest('hex')
}
