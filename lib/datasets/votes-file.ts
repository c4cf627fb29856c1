import { createHash, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Transform, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CsvError, parse } from 'csv-parse'
import { FerError, plain } from '../errors.js'
import { unreadable } from './problems.js'
import { type Header, readHeader, readRow, type Votes, VotesProblem } from './votes-row.js'

export interface VotesFile {
  /** By the name of the sample they are for. */
  readonly bySample: ReadonlyMap<string, Votes>
  /** Whether it is FER+'s own file, whose row n is for the sample `row n`. */
  readonly byRow: boolean
  /** A digest of the content. */
  readonly fingerprint: string
}

/**
 * Reads votes as CSV: a column `file`, the samples' names, and one column of counts a class, named as the folders of a
 * data set may be, beside `unknown` and `not_a_face` (or `NF`). Other columns are passed over, as are rows without any
 * count. Also FER+'s own `fer2013new.csv` (Barsoum et al., arXiv 1608.01041), whose row n is row n of `fer2013.csv`.
 * ERR_DATASET_NOT_FOUND, ERR_BAD_CSV with the line.
 */
export async function readVotes(file: string): Promise<VotesFile> {
  await requireFile(file)
  const hash = createHash('sha256')
  const reading: Reading = { line: 1, row: 0, bySample: new Map() }
  try {
    await pipeline(createReadStream(file), hashing(hash), parse(csvOptions), rowSink(reading))
    if (!reading.header) throw new VotesProblem('the file has no header')
  } catch (cause) {
    throw badVotes(file, reading.line, cause as Error)
  }
  const { bySample, header } = reading
  return { bySample, byRow: header.file === undefined, fingerprint: hash.digest('hex') }
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

interface Reading {
  header?: Header
  line: number
  row: number // below the header, from 1
  readonly bySample: Map<string, Votes>
}

/** A pipe gives what it holds once, and each split reads the votes. */
async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch((cause) => {
    throw unreadable(file, cause)
  })
  if (!found.isFile()) throw unreadable(file, new Error('it is not a file'))
}

const hashing = (hash: Hash): Transform =>
  new Transform({
    transform: (chunk, _encoding, done) => {
      hash.update(chunk)
      done(null, chunk)
    },
  })

// A stream rather than `for await`, whose early end hides its reason behind an AbortError of the pipeline.
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
  if (!reading.header) {
    reading.header = readHeader(record)
    return
  }
  const [name, votes] = readRow(record, reading.header, ++reading.row)
  if (reading.bySample.has(name)) throw new VotesProblem(`\`${plain(name)}\` has votes already`)
  if (votes) reading.bySample.set(name, votes)
}

function badVotes(file: string, lastLine: number, cause: Error): Error {
  if (cause instanceof VotesProblem) return unreadableRow(file, lastLine, cause)
  if (!(cause instanceof CsvError)) return 'syscall' in cause ? unreadable(file, cause) : cause
  return unreadableRow(file, Number(cause.lines ?? lastLine), cause)
}

function unreadableRow(file: string, line: number, cause: Error): FerError {
  const reason = plain(cause.message, 200)
  const cure = 'Correct the line, or take the file from its source again.'
  return new FerError('ERR_BAD_CSV', `Cannot read \`${file}\`, line ${line}: ${reason}. ${cure}`, { cause })
}
