import { plain } from '../errors.js'
import type { SplitName } from './dataset.js'
import type { Expression } from './expressions.js'

export const side = 48 // pixels
export const faceSize = side * side // bytes, one grey channel

// Emotion 0 to 6 and the Usage names, from the README of the ICML 2013 release.
const emotions = ['anger', 'disgust', 'fear', 'happiness', 'sadness', 'surprise', 'neutral'] as const
const splitByUsage: ReadonlyMap<string, SplitName> = new Map([
  ['training', 'train'],
  ['publictest', 'validation'],
  ['privatetest', 'test'],
])

/** What is wrong with a row, in words that follow the file and the line. */
export class RowProblem extends Error {}

/** Where the columns stand, in whatever order the header names them. */
export interface Header {
  readonly emotion: number
  readonly pixels: number
  readonly usage: number
  readonly fields: number
}

export interface Row {
  readonly expression: Expression
  readonly split: SplitName
  readonly pixels: string
}

export function readHeader(record: readonly string[]): Header {
  const names = record.map((name) => name.trim().toLowerCase())
  const [emotion, pixels, usage] = ['emotion', 'pixels', 'usage'].map((column) => {
    const position = names.indexOf(column)
    if (position < 0) throw new RowProblem(`the header has no column \`${column}\``)
    return position
  }) as [number, number, number]
  return { emotion, pixels, usage, fields: names.length }
}

export function readRow(record: readonly string[], header: Header): Row {
  if (record.length !== header.fields) {
    throw new RowProblem(`it has ${count(record.length, 'field')} where the header has ${header.fields}`)
  }
  return {
    expression: readEmotion(record[header.emotion]!.trim()),
    split: readUsage(record[header.usage]!.trim()),
    pixels: record[header.pixels]!,
  }
}

function readEmotion(text: string): Expression {
  const expression = /^\d+$/.test(text) ? emotions[Number(text)] : undefined
  if (expression === undefined) throw new RowProblem(`emotion is ${quote(text)}, not 0 to 6`)
  return expression
}

function readUsage(text: string): SplitName {
  const split = splitByUsage.get(text.toLowerCase())
  if (split !== undefined) return split
  throw new RowProblem(`Usage is ${quote(text)}, not Training, PublicTest or PrivateTest`)
}

/** Decodes 2304 numbers of 0 to 255, between spaces, into `target`. */
export function readPixels(text: string, target: Uint8Array): void {
  let found = 0
  let value = -1
  // By character code: `split` and `Number` would make 83 million strings of the full release.
  for (let at = 0; at <= text.length; at++) {
    const code = at < text.length ? text.charCodeAt(at) : 32
    if (code >= 48 && code <= 57) value = Math.max(value, 0) * 10 + code - 48
    else if (code > 32)
      throw new RowProblem(`pixel ${found + 1} holds ${quote(text[at]!)}, which is no digit`)
    else if (value >= 0) {
      if (value > 255) throw new RowProblem(`pixel ${found + 1} is ${value}, not 0 to 255`)
      if (found < faceSize) target[found] = value
      found++
      value = -1
    }
  }
  if (found !== faceSize) throw new RowProblem(`it has ${count(found, 'pixel')} instead of ${faceSize}`)
}

const count = (number: number, unit: string) => `${number} ${unit}${number === 1 ? '' : 's'}`
const quote = (text: string) => `\`${plain(text, 20)}\``
