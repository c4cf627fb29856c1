import { createHash } from 'node:crypto'
import { FerError } from '../errors.js'
import { boolean, fail, number, oneOf, optional, readOptions, text } from '../options/check.js'
import type { Dataset, Sample, Split } from './dataset.js'
import { type Expression, expressions as known } from './expressions.js'
import { readVotes, type Votes, type VotesFile } from './votes-file.js'

export const votesUses = ['soft', 'majority'] as const

export interface VotesOptions {
  /** The votes as CSV: a column `file` and one a class; or FER+'s own `fer2013new.csv` beside `fer2013.csv`. */
  file: string
  /** `soft` (the default): a face's target is how its votes divide. `majority`: the class of more than half of them. */
  use?: (typeof votesUses)[number]
  /**
   * How much of the target comes from the votes; the rest is the label of the data. With 1 (the default) the votes
   * replace the label, in measuring too, and faces without usable votes are left out; with less the label stays.
   */
  share?: number
  /** Adds contempt, which FER+ has beside the seven classes of FER2013; else those votes do not count. */
  contempt?: boolean
}

type Settings = Required<VotesOptions>

/**
 * A data set whose faces were judged by several people each. Votes of one are dropped, as FER+ does, since a single
 * rater errs; where half of what is left is for unknown or not a face, the face has no usable votes.
 *
 * Opening a split rejects as the data set does, or with ERR_BAD_CSV, or with ERR_BAD_DATA where no face has votes.
 */
export function withVotes(data: Dataset, options: VotesOptions): Dataset {
  if (typeof data?.open !== 'function') fail('data', 'a data set such as datasets.folder(path)', data)
  const settings = readOptions<Settings>(options, {
    file: text,
    use: optional(oneOf(votesUses), 'soft'),
    share: optional(number(0, 1), 1),
    contempt: optional(boolean, false),
  })
  return {
    name: `${data.name} with votes of ${settings.file}`,
    splits: () => data.splits(),
    open: async (split) => judged(await data.open(split), await readVotes(settings.file), settings),
  }
}

function judged(split: Split, votes: VotesFile, settings: Settings): Split {
  const classes = known.filter(
    (name) => split.classes.includes(name) || (settings.contempt && name === 'contempt'),
  )
  const judge = (sample: Sample) => judgedSample(sample, split, votes.bySample, classes, settings)
  const results = split.samples.map(judge)
  if (!split.samples.some(({ name }) => votes.bySample.has(name))) throw withoutVotes(split, settings)
  const samples = results.flatMap(({ sample }) => sample ?? [])
  const fingerprint = createHash('sha256').update(
    JSON.stringify([split.fingerprint, votes.fingerprint, settings.use, settings.share, classes]),
  )
  const { pixels, ...rest } = split
  return {
    ...rest,
    // A block in memory holds every face.
    ...(pixels && samples.length === split.samples.length ? { pixels } : {}),
    classes,
    samples,
    fingerprint: fingerprint.digest('hex'),
    notes: [...(split.notes ?? []), ...notesOf(results)],
  }
}

interface Judged {
  readonly sample?: Sample
  /** Why the votes were of no use. */
  readonly lacks?: string
}

function judgedSample(
  sample: Sample,
  split: Split,
  votes: ReadonlyMap<string, Votes>,
  classes: readonly Expression[],
  { share, use }: Settings,
): Judged {
  const label = classes.indexOf(split.classes[sample.label] as Expression)
  const given = votes.get(sample.name)
  const counts = given && usable(given, classes)
  const shares = counts && (use === 'soft' ? proportions(counts) : majority(counts))
  if (!shares) {
    const lacks = given ? 'without usable votes' : 'without a row of votes'
    return share < 1 ? { sample: { ...sample, label }, lacks } : { lacks }
  }
  const target = shares.map((part, index) => share * part + (index === label ? 1 - share : 0))
  const own = share < 1 ? label : shares.indexOf(Math.max(...shares))
  return { sample: { ...sample, label: own, target } }
}

/** The counts of the classes without single votes; undefined where nothing, or as much as that for no expression, is left. */
function usable({ expressions, none }: Votes, classes: readonly Expression[]): number[] | undefined {
  const counts = classes.map((name) => atLeastTwo(expressions.get(name) ?? 0))
  const sum = counts.reduce((total, count) => total + count, 0)
  return sum > atLeastTwo(none) ? counts : undefined
}

const atLeastTwo = (count: number): number => (count > 1 ? count : 0)

function proportions(counts: readonly number[]): number[] {
  const sum = counts.reduce((total, count) => total + count, 0)
  return counts.map((count) => count / sum)
}

function majority(counts: readonly number[]): number[] | undefined {
  const shares = proportions(counts)
  const most = shares.findIndex((part) => part > 0.5)
  return most < 0 ? undefined : shares.map((_, index) => (index === most ? 1 : 0))
}

function notesOf(results: readonly Judged[]): string[] {
  const kinds = ['without usable votes', 'without a row of votes']
  return kinds.flatMap((kind) => {
    const lacking = results.filter(({ lacks }) => lacks === kind)
    if (lacking.length === 0) return []
    const kept = lacking.every(({ sample }) => sample)
    return [`${lacking.length} faces ${kind} ${kept ? 'keep their own label' : 'left out'}`]
  })
}

const withoutVotes = ({ samples }: Split, { file }: Settings): FerError =>
  new FerError(
    'ERR_BAD_DATA',
    `No row of \`${file}\` is for a face of the data, such as \`${samples[0]?.name}\`. Name the faces in its column \`file\` as the data set does, relative to its folder`,
  )
