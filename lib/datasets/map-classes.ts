import { FerError, plain } from '../errors.js'
import { closest, fail } from '../options/check.js'
import type { Dataset, Sample, Split } from './dataset.js'
import { canonicalExpression, type Expression, expressions, inCanonicalOrder } from './expressions.js'
import { unknownClass } from './problems.js'
import { facesOf, relabelled, withLabel } from './relabelled.js'

/** What each class becomes: another expression, or `null`, left out. Expressions or usual aliases on both sides. */
export type ClassMapping = Readonly<Record<string, string | null>>

/**
 * A data set with other classes: `{ contempt: 'disgust' }` calls the faces of contempt disgust, together with those that
 * are already, and `{ contempt: null }` leaves them out. All renaming happens at once, so that two classes can change
 * places. A class that is not named stays; one that the data lack is passed over.
 *
 * Targets follow: what a class left out had of one is dropped and the rest scaled to sum 1. A face whose target had no
 * more is left out too. A label that was the largest of its target is so afterwards.
 *
 * Throws ERR_UNKNOWN_CLASS or ERR_INVALID_OPTION at once. Opening a split rejects as the data set does, or with
 * ERR_DATASET_EMPTY where no face is left.
 */
export function mapClasses(data: Dataset, mapping: ClassMapping): Dataset {
  if (typeof data?.open !== 'function') fail('data', 'a data set such as datasets.folder(path)', data)
  const changes = readMapping(mapping)
  return {
    name: nameOf(data, changes),
    splits: () => data.splits(),
    open: async (split) => mapped(await data.open(split), changes, data.name),
  }
}

type Changes = ReadonlyMap<Expression, Expression | null>

function readMapping(mapping: unknown): Changes {
  if (typeof mapping !== 'object' || mapping === null || Array.isArray(mapping))
    fail('mapping', "an object such as { contempt: 'disgust' }", mapping)
  const changes = new Map<Expression, Expression | null>()
  for (const [key, value] of Object.entries(mapping)) {
    const from = readExpression(key, 'The class')
    if (changes.has(from)) fail('mapping', `an object that names ${from} once`, key)
    changes.set(from, value === null ? null : readValue(value, key))
  }
  return changes
}

function readValue(value: unknown, key: string): Expression {
  const field = `mapping.${key}`
  if (typeof value === 'string') return readExpression(value, `\`${field}\`,`)
  return fail(field, 'an expression, or null to leave the class out', value)
}

function readExpression(name: string, what: string): Expression {
  const expression = canonicalExpression(name)
  if (expression) return expression
  const near = closest(name, expressions)
  throw unknownClass(`${what} \`${plain(name)}\``, near ? `Did you mean \`${near}\`?` : 'Take one of those.')
}

function nameOf({ name }: Dataset, changes: Changes): string {
  const parts = [...changes].map(([from, to]) => (to ? `${from} as ${to}` : `without ${from}`))
  return [name, ...parts].join(', ')
}

function mapped(split: Split, changes: Changes, name: string): Split {
  const becoming = split.classes.map((own) => become(own, changes))
  if (becoming.every((to, place) => to === split.classes[place])) return split
  const classes = classesOf(becoming)
  const places = becoming.map((to) => (to === null ? -1 : classes.indexOf(to)))
  const samples = split.samples.flatMap((sample) => mappedSample(sample, places, classes.length) ?? [])
  const lost = split.samples.length - samples.length
  if (lost > 0 && samples.length === 0) throw withoutFaces(name, split, becoming)
  const notes = lost > 0 ? [`${facesOf(lost)} left out with ${lostClasses(split, becoming)}`] : []
  return relabelled(split, { classes, samples, decidedBy: becoming, notes })
}

/** Null where it is left out. A class that is no expression, as a data set of the caller's may have, stays. */
function become(own: string, changes: Changes): string | null {
  const expression = canonicalExpression(own)
  if (expression === undefined) return own
  const to = changes.get(expression)
  return to === undefined ? expression : to
}

/** Each once, in canonical order as every data set lists them. */
function classesOf(becoming: readonly (string | null)[]): readonly string[] {
  const present = [...new Set(becoming.filter((to) => to !== null))]
  const known = present.filter((name) => canonicalExpression(name) === name) as Expression[]
  return known.length === present.length ? inCanonicalOrder(known) : present
}

function mappedSample(sample: Sample, places: readonly number[], count: number): Sample | undefined {
  const label = places[sample.label]
  // One that the split itself does not know is for whoever reads the labels to refuse.
  if (label === undefined) return sample
  if (label < 0) return undefined
  if (!sample.target) return withLabel(sample, label, undefined)
  const target = mappedTarget(sample.target, places, count)
  return target && withLabel(sample, labelAmong(target, label, sample), target)
}

/** Undefined where nothing is left of it. */
function mappedTarget(
  target: readonly number[],
  places: readonly number[],
  count: number,
): number[] | undefined {
  const parts = new Array<number>(count).fill(0)
  target.forEach((part, own) => {
    const place = places[own] ?? -1
    if (place >= 0) parts[place]! += part
  })
  const sum = parts.reduce((total, part) => total + part, 0)
  return sum > 0 ? parts.map((part) => part / sum) : undefined
}

/** Of parts alike to rounding, the label itself stays. */
function labelAmong(parts: readonly number[], label: number, { target, label: own }: Sample): number {
  const wasLargest = target![own] === Math.max(...target!)
  const largest = Math.max(...parts)
  return wasLargest && parts[label]! < largest - 1e-9 ? parts.indexOf(largest) : label
}

const lostClasses = ({ classes }: Split, becoming: readonly (string | null)[]): string =>
  classes.filter((_, place) => becoming[place] === null).join(', ')

const withoutFaces = (name: string, split: Split, becoming: readonly (string | null)[]): FerError =>
  new FerError(
    'ERR_DATASET_EMPTY',
    `No face of \`${name}\` is left without ${lostClasses(split, becoming)}. Leave fewer classes out`,
  )
