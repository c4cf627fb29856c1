import { createHash } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FerError } from '../errors.js'
import { blockSamples } from './block.js'
import { type Dataset, type PixelBlock, type Split, type SplitName, splitNames } from './dataset.js'
import { inCanonicalOrder } from './expressions.js'
import { type CsvSplits, readFer2013Csv } from './fer2013-csv.js'
import { side } from './fer2013-row.js'
import { folder } from './folder.js'
import { requirePath, unknownSplit, unreadable } from './problems.js'

// The second name is that of the Kaggle competition's own archive.
const csvNames = ['fer2013.csv', 'icml_face_data.csv']

/**
 * FER2013 (Goodfellow et al., arXiv:1307.0414) as it is commonly released: a `fer2013.csv`, or a folder that holds
 * one, or folders of pictures, train / validation|test / CLASS, read as by `folder`.
 *
 * Of the CSV, Usage Training, PublicTest and PrivateTest are train, validation and test. It is read once, at the
 * first use, and again only when the file has changed; its decoded pixels (83 MB) stay in memory with the data set.
 */
export function fer2013(path: string): Dataset {
  requirePath(path)
  let csv: Dataset | undefined
  const release = async () => {
    const file = await findCsv(path)
    if (file === undefined) return folder(path)
    csv ??= csvDataset(file)
    return csv
  }
  return {
    name: `fer2013:${path}`,
    splits: async () => (await release()).splits(),
    open: async (split) => (await release()).open(split),
  }
}

async function findCsv(path: string): Promise<string | undefined> {
  try {
    const found = await stat(path)
    if (found.isFile()) return path
    if (!found.isDirectory()) throw new Error('it is neither a file nor a folder')
    const name = (await readdir(path)).find((name) => csvNames.includes(name.toLowerCase()))
    return name === undefined ? undefined : join(path, name)
  } catch (cause) {
    throw unreadable(path, cause)
  }
}

function csvDataset(file: string): Dataset {
  const read = rememberingReader(file)
  return {
    name: `fer2013:${file}`,
    splits: async () => presentSplits((await read()).splits),
    open: async (split) => {
      const { splits, stamp } = await read()
      return openCsv(file, splits, split, stamp)
    },
  }
}

interface CsvContent {
  readonly splits: CsvSplits
  readonly stamp: string // changes with the file
}

// Two calls at once share one reading; a failed one is not kept.
function rememberingReader(file: string): () => Promise<CsvContent> {
  let known: { stamp: string; content: Promise<CsvContent> } | undefined
  return async () => {
    const stamp = await stampOf(file)
    if (known?.stamp === stamp) return known.content
    const latest = { stamp, content: readFer2013Csv(file).then((splits) => ({ splits, stamp })) }
    known = latest
    latest.content.catch(() => {
      if (known === latest) known = undefined
    })
    return latest.content
  }
}

async function stampOf(file: string): Promise<string> {
  const found = await stat(file).catch((cause) => {
    throw unreadable(file, cause)
  })
  if (!found.isFile()) throw unreadable(file, new Error('it is not a file'))
  const { size, mtimeMs } = found
  return `${size} ${mtimeMs}`
}

const presentSplits = (splits: CsvSplits) => splitNames.filter((name) => splits.has(name))

function openCsv(file: string, splits: CsvSplits, split: SplitName, stamp: string): Split {
  if (splits.size === 0) throw emptyCsv(file)
  const faces = splits.get(split)
  if (faces === undefined) throw unknownSplit(file, split, presentSplits(splits))
  const classes = inCanonicalOrder([...splits.values()].flatMap(({ expressions }) => expressions))
  const labels = faces.expressions.map((expression) => classes.indexOf(expression))
  const pixels: PixelBlock = { data: faces.data, shape: [labels.length, side, side, 1] }
  const samples = blockSamples(pixels, labels, (index) => `row ${faces.rows[index]}`)
  const fingerprint = createHash('sha256').update(JSON.stringify(['fer2013.csv', stamp, split, classes]))
  return { classes, color: 'grey', samples, pixels, fingerprint: fingerprint.digest('hex') }
}

function emptyCsv(file: string): FerError {
  const cure = 'Take fer2013.csv from its archive again.'
  return new FerError('ERR_DATASET_EMPTY', `No row below the header of \`${file}\`. ${cure}`)
}
