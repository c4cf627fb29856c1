import { readFile } from 'node:fs/promises'
import { FerError, plain } from '../errors.js'
import type { SplitName } from './dataset.js'
import { type Expression, expressions } from './expressions.js'

/** One line of the list. */
export interface ListedFace {
  readonly name: string // without `.jpg`
  readonly split: SplitName
  readonly expression: Expression
  readonly line: number // from 1
}

/**
 * Reads a `list_patition_label.txt`, one `train_00001.jpg 5` a line, in its order. ERR_BAD_DATA names file and line,
 * ERR_DATASET_EMPTY the file; a failure of the file system is passed on as it is.
 */
export async function readRafDbList(file: string): Promise<ListedFace[]> {
  const text = await readFile(file, 'utf8')
  // `trim` takes carriage returns and a byte-order mark too.
  const lines = text.split('\n').map((line) => line.trim())
  const faces = lines.flatMap((line, index) => (line === '' ? [] : [readLine(file, line, index + 1)]))
  if (faces.length === 0) throw emptyList(file)
  checkNames(file, faces)
  return faces
}

function readLine(file: string, text: string, line: number): ListedFace {
  const [name = '', label = '', ...rest] = text.split(/\s+/)
  if (label === '' || rest.length > 0)
    throw badLine(file, line, `it is ${quote(text)}, not a name and a label`)
  const [, stem, split] = /^((train|test)_[\w-]+)\.jpg$/.exec(name) ?? []
  if (!stem) throw badLine(file, line, `the name ${quote(name)} is not of the form train_N.jpg or test_N.jpg`)
  if (!/^[1-7]$/.test(label)) throw badLine(file, line, `the label is ${quote(label)}, not 1 to 7`)
  // The labels of RAF-DB are the order of `expressions`.
  return { name: stem, split: split as SplitName, expression: expressions[Number(label) - 1]!, line }
}

function checkNames(file: string, faces: readonly ListedFace[]): void {
  const lineByName = new Map<string, number>()
  for (const { name, line } of faces) {
    const earlier = lineByName.get(name)
    if (earlier !== undefined)
      throw badLine(file, line, `${quote(`${name}.jpg`)} stands in line ${earlier} already`)
    lineByName.set(name, line)
  }
}

function badLine(file: string, line: number, reason: string): FerError {
  const cure = 'Correct the line, or take the list from its archive again.'
  return new FerError('ERR_BAD_DATA', `Cannot read \`${file}\`, line ${line}: ${reason}. ${cure}`)
}

function emptyList(file: string): FerError {
  return new FerError('ERR_DATASET_EMPTY', `No face in \`${file}\`. Take the list from its archive again.`)
}

const quote = (text: string) => `\`${plain(text, 40)}\``
