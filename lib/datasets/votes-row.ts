import { plain } from '../errors.js'
import type { SplitName } from './dataset.js'
import { canonicalExpression, type Expression } from './expressions.js'

/** What the raters of one face chose. */
export interface Votes {
  readonly expressions: ReadonlyMap<Expression, number>
  /** For no expression, one count a kind: unknown, not a face. */
  readonly none: readonly number[]
  /** Of a row of FER+'s own file: the split its `Usage` names. */
  readonly split?: SplitName
}

const noneNames = ['unknown', 'nf', 'not_a_face', 'not a face']

// The Usage names of FER2013, which FER+ repeats.
const splitByUsage: ReadonlyMap<string, SplitName> = new Map([
  ['training', 'train'],
  ['publictest', 'validation'],
  ['privatetest', 'test'],
])

const largestCount = 1e6

/** What is wrong with a row, in words that follow the file and the line. */
export class VotesProblem extends Error {}

interface Column {
  readonly place: number
  readonly name: string
}

/** Where the columns stand, in whatever order the header names them. */
export interface Header {
  /** Undefined in FER+'s own file, whose rows are known by their number. */
  readonly file: Column | undefined
  /** Of FER+'s own file. */
  readonly usage: Column | undefined
  readonly expressions: readonly (Column & { readonly expression: Expression })[]
  readonly none: readonly Column[]
  readonly fields: number
}

export function readHeader(record: readonly string[]): Header {
  const columns = record.map((name, place) => ({ name: name.trim().toLowerCase(), place }))
  const expressions = columns.flatMap((column) => {
    const expression = canonicalExpression(column.name)
    return expression ? [{ ...column, expression }] : []
  })
  const none = columns.filter(({ name }) => noneNames.includes(name))
  const named = (wanted: string) => columns.filter(({ name }) => name === wanted)
  const [file, usage, image] = [named('file'), named('usage'), named('image name')]
  if (expressions.length < 2) throw new VotesProblem('the header names fewer than two expressions')
  requireDistinct([...file, ...expressions, ...none])
  const fields = record.length
  if (file[0]) return { file: file[0], usage: undefined, expressions, none, fields }
  if (usage[0] && image[0]) return { file: undefined, usage: usage[0], expressions, none, fields }
  throw new VotesProblem('the header has no column `file`')
}

function requireDistinct(columns: readonly Column[]): void {
  const names = columns.map(({ name }) => name)
  const twice = names.find((name, place) => names.indexOf(name) < place)
  if (twice !== undefined) throw new VotesProblem(`the header names \`${plain(twice)}\` twice`)
}

/** The name of the sample that a row is for, and its votes, unless it holds no count at all. */
export function readRow(record: readonly string[], header: Header, number: number): [string, Votes?] {
  const { fields, file, usage, expressions, none } = header
  if (record.length !== fields) {
    throw new VotesProblem(
      `it has ${record.length} field${record.length === 1 ? '' : 's'} where the header has ${fields}`,
    )
  }
  const textAt = ({ place }: Column) => record[place]!.trim()
  const name = file ? textAt(file) : `row ${number}`
  if (name === '') throw new VotesProblem('it names no file')
  const split = usage && readUsage(textAt(usage))
  if ([...expressions, ...none].every((column) => textAt(column) === '')) return [name]
  const count = (column: Column) => readCount(textAt(column), column.name)
  const counts = new Map<Expression, number>()
  for (const column of expressions)
    counts.set(column.expression, (counts.get(column.expression) ?? 0) + count(column))
  return [name, { expressions: counts, none: none.map(count), ...(split ? { split } : {}) }]
}

function readUsage(text: string): SplitName {
  const split = splitByUsage.get(text.toLowerCase())
  if (split) return split
  throw new VotesProblem(`Usage is \`${plain(text, 20)}\`, not Training, PublicTest or PrivateTest`)
}

function readCount(text: string, name: string): number {
  const value = text === '' ? 0 : Number(text)
  if (/^[\d.]*$/.test(text) && value <= largestCount) return value
  throw new VotesProblem(`\`${name}\` is \`${plain(text)}\`, not a number of votes`)
}
