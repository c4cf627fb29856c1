import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type SplitName, splitNames } from './dataset.js'
import { canonicalExpression, type Expression, inCanonicalOrder } from './expressions.js'
import { doubledSplit, mixedLayout, unknownClass, unreadable, withoutClasses } from './problems.js'

/** A folder of pictures of one class; `path` is relative to the data set, with forward slashes. */
export interface ClassFolder {
  readonly expression: Expression
  readonly path: string
}

/** A folder of class folders; `path` is relative to the data set and empty for a flat one. */
export interface SplitFolder {
  readonly path: string
  readonly classFolders: readonly ClassFolder[]
}

/** What the folders of a data set mean: `flat` is present for CLASS/*, `splits` is filled for SPLIT/CLASS/*. */
export interface Layout {
  readonly classes: readonly Expression[]
  readonly flat?: SplitFolder
  readonly splits: ReadonlyMap<SplitName, SplitFolder>
}

const splitByFolderName: ReadonlyMap<string, SplitName> = new Map([
  ['train', 'train'],
  ['training', 'train'],
  ['validation', 'validation'],
  ['valid', 'validation'],
  ['val', 'validation'],
  ['dev', 'validation'],
  ['test', 'test'],
  ['testing', 'test'],
])

const splitOf = (name: string) => splitByFolderName.get(name.toLowerCase())

/** Reads which folders are splits and which are classes, of every split; opens no picture. */
export async function readLayout(root: string): Promise<Layout> {
  const names = await subfolders(root)
  if (names.length === 0) throw withoutClasses(root)
  if (!names.some(splitOf)) return flatLayout(root, names)
  const splits = await readSplits(root, assignSplits(root, names))
  return { classes: classesOf([...splits.values()]), splits }
}

function flatLayout(root: string, names: readonly string[]): Layout {
  const flat = { path: '', classFolders: names.map((name) => classFolder(root, name)) }
  return { classes: classesOf([flat]), flat, splits: new Map() }
}

async function readSplits(root: string, folderBySplit: ReadonlyMap<SplitName, string>) {
  const splits = new Map<SplitName, SplitFolder>()
  for (const split of splitNames) {
    const path = folderBySplit.get(split)
    if (path === undefined) continue
    const names = await subfolders(join(root, path))
    splits.set(split, { path, classFolders: names.map((name) => classFolder(root, `${path}/${name}`)) })
  }
  return splits
}

function assignSplits(root: string, names: readonly string[]): Map<SplitName, string> {
  const folderBySplit = new Map<SplitName, string>()
  for (const name of names) {
    const split = splitOf(name)
    if (split === undefined) throw mixedLayout(join(root, name))
    const rival = folderBySplit.get(split)
    if (rival !== undefined) throw doubledSplit(root, split, rival, name)
    folderBySplit.set(split, name)
  }
  return folderBySplit
}

function classFolder(root: string, path: string): ClassFolder {
  const expression = canonicalExpression(path.slice(path.lastIndexOf('/') + 1))
  if (expression !== undefined) return { expression, path }
  const cure = 'Rename it after its expression, or move it out of the data set.'
  throw unknownClass(`The class folder \`${join(root, path)}\``, cure)
}

function classesOf(splits: readonly SplitFolder[]): Expression[] {
  return inCanonicalOrder(splits.flatMap((split) => split.classFolders.map((folder) => folder.expression)))
}

async function subfolders(path: string): Promise<string[]> {
  const entries = await visibleEntries(path)
  const flags = await Promise.all(entries.map((entry) => isFolder(path, entry)))
  return entries.filter((_, index) => flags[index]).map(({ name }) => name)
}

async function isFolder(parent: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  const target = await stat(join(parent, entry.name)).catch(() => undefined)
  return target?.isDirectory() === true
}

/** The visible entries of a folder, sorted by UTF-16 code unit so that every machine sees one order. */
export async function visibleEntries(path: string): Promise<Dirent[]> {
  const entries = await readdir(path, { withFileTypes: true }).catch((cause) => {
    throw unreadable(path, cause)
  })
  return entries.filter(({ name }) => !isHidden(name)).sort((a, b) => (a.name < b.name ? -1 : 1))
}

// macOS archives carry a `__MACOSX` folder beside the real ones.
const isHidden = (name: string) => name.startsWith('.') || name === '__MACOSX'
