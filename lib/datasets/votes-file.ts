import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { FerError, plain } from '../errors.js'
import { canonicalExpression, type Expression } from './expressions.js'
import { unreadable } from './problems.js'

/** What the raters of one face chose. */
export interface Votes {
  readonly expressions: ReadonlyMap<Expression, number>
  /** For no expression: unknown, or not a face. */
  readonly none: number
}

export interface VotesFile {
  /** By the name of the sample they are for. */
  readonly bySample: ReadonlyMap<string, Votes>
  /** A digest of the content. */
  readonly fingerprint: string
}

const noneNames = ['unknown', 'nf', 'not_a_face', 'not a face']

/**
 * Reads votes as CSV: a column `file`, the samples' names, and one column of counts a class, named as the folders of a
 * data set may be, beside `unknown` and `not_a_face` (or `NF`). Other columns are passed over, as are rows without any
 * count. Also FER+'s own `fer2013new.csv` (Barsoum et al., arXiv 1608.01041), whose row n is row n of `fer2013.csv`.
 * ERR_DATASET_NOT_FOUND, ERR_BAD_CSV with the line.
 */
export async function readVotes(file: string): Promise<VotesFile> {
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform: (chunk, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  const reading: Reading = { line: 1, row: 0, bySample: new Map() }
  const accept = async (rows: AsyncIterable<ParsedRow>) => {
    for await (const row of rows) acceptRow(reading, row)
  }
  try {
    await pipeline(createReadStream(file), hashing, parse(csvOptions), accept)
    if (!reading.header) throw new VotesProblem('the file has no header')
  } catch (cause) {
    throw badVotes(file, reading.line, cause as Error)
  }
  return { bySample: reading.bySample, fingerprint: hash.digest('hex') }
}

const csvOptions = {
  bom: true,
  info: true,
  relax_column_count: true,
  skip_empty_lines: true,
  // Characters, a hundred times the longest row: an unclosed quote must not swallow the file.
  max_record_size: 10_000,
} as const

interface ParsedRow {
  readonly record: readonly string[]
  readonly info: { readonly lines: number }
}

interface Column {
  readonly place: number
  readonly name: string
}

interface Header {
  /** Undefined in FER+'s own file, whose rows are known by their number. */
  readonly file?: number
  readonly expressions: readonly (Column & { readonly expression: Expression })[]
  readonly none: readonly Column[]
}

interface Reading {
  header?: Header
  line: number
  row: number // below the header, from 1
  readonly bySample: Map<string, Votes>
}

class VotesProblem extends Error {}

function acceptRow(reading: Reading, { record, info }: ParsedRow): void {
  reading.line = info.lines
  if (!reading.header) {
    reading.header = readHeader(record)
    return
  }
  reading.row++
  const name =
    reading.header.file === undefined ? `row ${reading.row}` : (record[reading.header.file] ?? '').trim()
  if (name === '') throw new VotesProblem('it names no file')
  if (reading.bySample.has(name)) throw new VotesProblem(`\`${plain(name)}\` has votes already`)
  const votes = readCounts(record, reading.header)
  if (votes) reading.bySample.set(name, votes)
}

function readHeader(record: readonly string[]): Header {
  const columns = record.map((name, place) => ({ name: name.trim().toLowerCase(), place }))
  const placeOf = (wanted: string) => columns.find(({ name }) => name === wanted)?.place
  const expressions = columns.flatMap((column) => {
    const expression = canonicalExpression(column.name)
    return expression ? [{ ...column, expression }] : []
  })
  if (expressions.length < 2) throw new VotesProblem('the header names fewer than two expressions')
  const none = columns.filter(({ name }) => noneNames.includes(name))
  const file = placeOf('file')
  if (file !== undefined) return { file, expressions, none }
  if (placeOf('usage') !== undefined && placeOf('image name') !== undefined) return { expressions, none }
  throw new VotesProblem('the header has no column `file`')
}

/** Undefined where the row holds no count at all. */
function readCounts(record: readonly string[], header: Header): Votes | undefined {
  const texts = (columns: readonly Column[]) => columns.map(({ place }) => (record[place] ?? '').trim())
  if ([...texts(header.expressions), ...texts(header.none)].every((text) => text === '')) return undefined
  const count = ({ name, place }: Column) => readCount((record[place] ?? '').trim(), name)
  const expressions = new Map<Expression, number>()
  for (const column of header.expressions)
    expressions.set(column.expression, (expressions.get(column.expression) ?? 0) + count(column))
  return { expressions, none: header.none.reduce((sum, column) => sum + count(column), 0) }
}

function readCount(text: string, name: string): number {
  const value = text === '' ? 0 : Number(text)
  if (/^[\d.]*$/.test(text) && Number.isFinite(value) && value <= 1e6) return value
  throw new VotesProblem(`\`${name}\` is \`${plain(text)}\`, not a number of votes`)
}

function badVotes(file: string, line: number, cause: Error): Error {
  if ('syscall' in cause) return unreadable(file, cause)
  if (!(cause instanceof VotesProblem || cause instanceof CsvError)) return cause
  const at = cause instanceof CsvError ? Number(cause.lines ?? line) : line
  const cure = 'Correct the line, or take the file from its source again.'
  return new FerError(
    'ERR_BAD_CSV',
    `Cannot read \`${file}\`, line ${at}: ${plain(cause.message, 200)}. ${cure}`,
    {
      cause,
    },
  )
}
