import { createHash } from 'node:crypto'
import type { Sample, Split } from './dataset.js'

/** What a data set that wraps another makes of a split. */
export interface Relabelling {
  readonly classes: readonly string[]
  /** Some of the split's, or all, in their order. */
  readonly samples: readonly Sample[]
  /** What decides labels and targets, beside the split itself. */
  readonly decidedBy: readonly unknown[]
  /** What became of the faces. */
  readonly notes: readonly string[]
}

/** The pictures of a split under other labels. */
export function relabelled(split: Split, { classes, samples, decidedBy, notes }: Relabelling): Split {
  const fingerprint = createHash('sha256').update(JSON.stringify([split.fingerprint, classes, decidedBy]))
  const { color, pixels } = split
  return {
    classes,
    color,
    samples,
    fingerprint: fingerprint.digest('hex'),
    // A block in memory holds every face.
    ...(pixels && samples.length === split.samples.length ? { pixels } : {}),
    notes: [...(split.notes ?? []), ...notes],
  }
}

/** The same face under another label. Data sets may be the caller's own, whose samples have `read` from their class. */
export const withLabel = (sample: Sample, label: number, target: readonly number[] | undefined): Sample => ({
  name: sample.name,
  label,
  ...(target ? { target } : {}),
  read: () => sample.read(),
})

/** `1 face`, `2 faces`. */
export const facesOf = (count: number): string => `${count} ${count === 1 ? 'face' : 'faces'}`
