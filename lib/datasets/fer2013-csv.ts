import { createReadStream } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { FerError, plain } from '../errors.js'
import type { SplitName } from './dataset.js'
import type { Expression } from './expressions.js'
import {
  faceSize,
  type Header,
  type Row,
  RowProblem,
  readHeader,
  readPixels,
  readRow,
} from './fer2013-row.js'
import { unreadable } from './problems.js'

/** The faces of one Usage, in the order of the file. */
export interface CsvFaces {
  readonly expressions: readonly Expression[]
  /** Where each face stands among the rows below the header, from 1. */
  readonly rows: readonly number[]
  readonly data: Uint8Array // (count, 48, 48)
}

export type CsvSplits = ReadonlyMap<SplitName, CsvFaces>

/**
 * Streams a `fer2013.csv`, of which only the decoded bytes stay in memory. Every row of every Usage is checked:
 * rejects with ERR_BAD_CSV, naming file and line, at the first that cannot be read.
 */
export async function readFer2013Csv(file: string): Promise<CsvSplits> {
  const reading: Reading = { row: 0, line: 1, faces: new Map() }
  try {
    await pipeline(createReadStream(file), parse(csvOptions), rowSink(reading))
    if (reading.header === undefined) throw new RowProblem('the file has no header')
  } catch (cause) {
    throw badCsv(file, reading.line, cause as Error)
  }
  return new Map([...reading.faces].map(([split, growing]) => [split, withoutSpare(growing)]))
}

const csvOptions = {
  bom: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  // Characters, ten times the longest row: an unclosed quote must not swallow the file.
  max_record_size: 100_000,
} as const

interface ParsedRow {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

interface GrowingFaces {
  readonly expressions: Expression[]
  readonly rows: number[]
  data: Uint8Array // at least as long as the faces need
}

interface Reading {
  header?: Header
  row: number // below the header, from 1
  line: number
  readonly faces: Map<SplitName, GrowingFaces>
}

// A stream rather than `for await`, whose early end can hide its reason behind an AbortError of the pipeline.
function rowSink(reading: Reading): Writable {
  return new Writable({
    objectMode: true,
    write: (parsed: ParsedRow, _encoding, done) => {
      try {
        acceptRow(reading, parsed)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}

function acceptRow(reading: Reading, { record, info }: ParsedRow): void {
  reading.line = info.lines
  if (reading.header === undefined) {
    reading.header = readHeader(record)
    return
  }
  reading.row++
  addFace(reading.faces, readRow(record, reading.header), reading.row)
}

function addFace(faces: Reading['faces'], { expression, split, pixels }: Row, row: number): void {
  const growing = faces.get(split) ?? { expressions: [], rows: [], data: new Uint8Array(64 * faceSize) }
  faces.set(split, growing)
  const start = growing.rows.length * faceSize
  if (start === growing.data.length) growing.data = doubled(growing.data)
  readPixels(pixels, growing.data.subarray(start, start + faceSize))
  growing.expressions.push(expression)
  growing.rows.push(row)
}

function doubled(data: Uint8Array): Uint8Array {
  const larger = new Uint8Array(2 * data.length)
  larger.set(data)
  return larger
}

function withoutSpare({ expressions, rows, data }: GrowingFaces): CsvFaces {
  return { expressions, rows, data: data.slice(0, rows.length * faceSize) }
}

function badCsv(file: string, lastLine: number, cause: Error): Error {
  if (cause instanceof RowProblem) return unreadableRow(file, lastLine, cause.message, cause)
  if (!(cause instanceof CsvError)) return 'syscall' in cause ? unreadable(file, cause) : cause
  // csv-parse quotes the whole record.
  return unreadableRow(file, Number(cause.lines ?? lastLine), plain(cause.message, 200), cause)
}

function unreadableRow(file: string, line: number, reason: string, cause: Error): FerError {
  const cure = 'Correct the line, or take fer2013.csv from its archive again.'
  return new FerError('ERR_BAD_CSV', `Cannot read \`${file}\`, line ${line}: ${reason}. ${cure}`, { cause })
}
