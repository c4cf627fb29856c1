import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { stat } from 'node:fs/promises'
import { extname, join, resolve } from 'node:path'
import pMap from 'p-map'
import { FerError } from '../errors.js'
import { decode } from '../images/decode.js'
import { probeColor } from '../images/probe.js'
import type { Dataset, Sample, Split, SplitName } from './dataset.js'
import { type ClassFolder, type Layout, readLayout, visibleEntries } from './folder-layout.js'
import { requirePath, unknownSplit, withoutClasses } from './problems.js'

/** The picture files that sharp's published binaries decode; every other file is passed over. */
export const pictureExtensions = ['jpg', 'jpeg', 'png', 'webp', 'gif', 'tif', 'tiff', 'avif'] as const

// Above the four threads that libuv gives the file system, so that these never wait for JavaScript.
const statConcurrency = 16

/**
 * Pictures in folders: `CLASS/*`, one flat data set that answers any split, or `SPLIT/CLASS/*`.
 *
 * Classes are the expressions that have a folder in any split, in canonical order, the same list for every
 * split; folders of one meaning (`happy`, `happiness`) are merged. Samples come by class, then by name in
 * code-unit order. Rejects with ERR_DATASET_NOT_FOUND, ERR_DATASET_EMPTY, ERR_UNKNOWN_CLASS or ERR_UNKNOWN_SPLIT.
 */
export function folder(path: string): Dataset {
  requirePath(path)
  return {
    name: `folder:${path}`,
    splits: async () => [...(await readLayout(path)).splits.keys()],
    open: async (split) => openSplit(path, split, await readLayout(path)),
  }
}

async function openSplit(root: string, wanted: SplitName, layout: Layout): Promise<Split> {
  const split = layout.flat ?? layout.splits.get(wanted)
  if (split === undefined) throw unknownSplit(root, wanted, [...layout.splits.keys()])
  if (split.classFolders.length === 0) throw withoutClasses(join(root, split.path))
  const samples = await listSamples(root, layout.classes, split.classFolders)
  const [color, fingerprint] = await Promise.all([
    probeColor(samples.map(({ name }) => join(root, name))),
    fingerprintOf(root, layout.classes, samples),
  ])
  return { classes: layout.classes, color, samples, fingerprint }
}

async function listSamples(root: string, classes: readonly string[], folders: readonly ClassFolder[]) {
  const lists = await Promise.all(folders.map((classFolder) => samplesOf(root, classes, classFolder)))
  return lists.flat().sort((a, b) => a.label - b.label || (a.name < b.name ? -1 : 1))
}

async function samplesOf(root: string, classes: readonly string[], { path, expression }: ClassFolder) {
  const files = (await visibleEntries(join(root, path))).filter(isPicture)
  if (files.length === 0) throw emptyClass(join(root, path))
  const label = classes.indexOf(expression)
  return files.map((file): Sample => {
    const name = `${path}/${file.name}`
    return { name, label, read: () => decode(join(root, name)) }
  })
}

// A link is kept whatever it leads to: a broken one then fails by name when it is decoded.
function isPicture(entry: Dirent): boolean {
  const extension = extname(entry.name).slice(1).toLowerCase()
  const known: readonly string[] = pictureExtensions
  return known.includes(extension) && (entry.isFile() || entry.isSymbolicLink())
}

function emptyClass(path: string): FerError {
  return new FerError(
    'ERR_DATASET_EMPTY',
    `No picture (${pictureExtensions.join(', ')}) in the class folder \`${path}\`. Add some, or remove the folder.`,
  )
}

/** SHA-256 over the classes and every file's name, size and time of change: cheap, and enough to notice an edit. */
async function fingerprintOf(root: string, classes: readonly string[], samples: readonly Sample[]) {
  const stamps = await pMap(samples, ({ name }) => stampOf(root, name), { concurrency: statConcurrency })
  return createHash('sha256')
    .update(JSON.stringify([resolve(root), classes, stamps]))
    .digest('hex')
}

async function stampOf(root: string, name: string) {
  const file = await stat(join(root, name)).catch(() => undefined)
  return [name, file?.size, file?.mtimeMs]
}
