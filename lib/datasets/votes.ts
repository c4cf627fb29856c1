import { FerError } from '../errors.js'
import { boolean, fail, number, oneOf, optional, readOptions, text } from '../options/check.js'
import type { Dataset, Sample, Split, SplitName } from './dataset.js'
import { canonicalExpression, type Expression } from './expressions.js'
import { facesOf, relabelled, withLabel } from './relabelled.js'
import { readVotes, type VotesFile } from './votes-file.js'
import type { Votes } from './votes-row.js'
import { targetOf, type VotesUse, votesUses } from './votes-target.js'

export { votesUses }

export interface VotesOptions {
  /** The votes as CSV: a column `file` and one a class; or FER+'s own `fer2013new.csv` beside `fer2013.csv`. */
  file: string
  /** `soft` (the default): a face's target is how its votes divide. `majority`: the class of more than half of them. */
  use?: VotesUse
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
 * Opening a split rejects as the data set does, or with ERR_BAD_CSV, or with ERR_BAD_DATA where no face has usable
 * votes, or where FER+'s own file names another split for a face.
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
    open: async (split) => judged(await data.open(split), split, await readVotes(settings.file), settings),
  }
}

function judged(split: Split, name: SplitName, votes: VotesFile, settings: Settings): Split {
  const meanings = split.classes.map(canonicalExpression)
  const added = settings.contempt && !meanings.includes('contempt') ? (['contempt'] as const) : []
  const given = split.samples.map((sample) => votes.bySample.get(sample.name))
  requireMatch(split, name, votes, given, settings)
  const judge = judgeOf([...meanings, ...added], settings)
  const results = split.samples.map((sample, index) => judge(sample, given[index]))
  if (results.length > 0 && results.every(({ lacks }) => lacks)) throw withoutUsable(settings)
  return relabelled(split, {
    classes: [...split.classes, ...added],
    samples: results.flatMap(({ sample }) => sample ?? []),
    decidedBy: [votes.fingerprint, settings.use, settings.share],
    notes: notesOf(results),
  })
}

interface Judged {
  readonly sample?: Sample
  /** Why the votes were of no use. */
  readonly lacks?: string
}

const judgeOf =
  (classes: readonly (Expression | undefined)[], { share, use }: Settings) =>
  (sample: Sample, votes: Votes | undefined): Judged => {
    const own = ownTarget(sample, classes.length)
    const judged = votes && targetOf(votes, classes, use)
    if (!judged) {
      const lacks = votes ? 'without usable votes' : 'without a row of votes'
      return share < 1 ? { sample: withLabel(sample, sample.label, sample.target && own), lacks } : { lacks }
    }
    const target = judged.map((part, place) => share * part + (1 - share) * own[place]!)
    const label = share < 1 ? sample.label : judged.indexOf(Math.max(...judged))
    return { sample: withLabel(sample, label, target) }
  }

/** What the data themselves say of a face: its target, or all of it on its label. */
const ownTarget = ({ label, target }: Sample, count: number): number[] =>
  Array.from({ length: count }, (_, place) => (target ? (target[place] ?? 0) : place === label ? 1 : 0))

function notesOf(results: readonly Judged[]): string[] {
  const kinds = ['without usable votes', 'without a row of votes']
  return kinds.flatMap((kind) => {
    const lacking = results.filter(({ lacks }) => lacks === kind)
    if (lacking.length === 0) return []
    const kept = lacking.every(({ sample }) => sample)
    return [`${facesOf(lacking.length)} ${kind} ${kept ? 'under the label of the data' : 'left out'}`]
  })
}

/** Votes for other faces must not pass for those of these. */
function requireMatch(
  { samples }: Split,
  name: SplitName,
  { byRow }: VotesFile,
  given: readonly (Votes | undefined)[],
  { file }: Settings,
): void {
  const first = samples[0]
  if (first && given.every((votes) => !votes)) throw withoutVotes(first, file, byRow)
  const other = given.findIndex((votes) => votes?.split && votes.split !== name)
  if (other >= 0) throw ofOtherSplit(samples[other]!, name, given[other]!, file)
}

const withoutVotes = ({ name }: Sample, file: string, byRow: boolean): FerError => {
  const cure = byRow
    ? "FER+'s own file goes with fer2013.csv alone; for other data give the votes a column `file`"
    : 'Name the faces in its column `file` as the data set does, relative to its folder'
  return new FerError(
    'ERR_BAD_DATA',
    `No row of \`${file}\` is for a face of the data, such as \`${name}\`. ${cure}`,
  )
}

const ofOtherSplit = (sample: Sample, name: SplitName, { split }: Votes, file: string): FerError =>
  new FerError(
    'ERR_BAD_DATA',
    `\`${sample.name}\` is a face of the split ${name}, and of ${split} in \`${file}\`, whose rows are those of the published fer2013.csv. Take both files as they were published, or give the votes a column \`file\``,
  )

const withoutUsable = ({ file, use }: Settings): FerError =>
  new FerError(
    'ERR_BAD_DATA',
    `No face has usable votes in \`${file}\`: two or more for one expression${use === 'majority' ? ', and more for it than for all others' : ''}. Give numbers of votes, not shares of them`,
  )
