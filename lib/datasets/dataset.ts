import type { Color } from '../catalog.js'

/** A decoded picture, upright: rows from the top, channels interleaved, 8 bits each. */
export interface Picture {
  readonly data: Uint8Array // (height, width, channels)
  readonly width: number
  readonly height: number
  readonly channels: 1 | 3
}

/** One labelled face that can be read when it is needed. */
export interface Sample {
  /** What an error or a report calls it: a path relative to the data set, or `row 17`. */
  readonly name: string
  /** Index into the classes of the split. */
  readonly label: number
  /** A distribution over the classes of the split, to be learned instead of the label alone. */
  readonly target?: readonly number[]
  readonly read: () => Promise<Picture>
}

/** Faces already decoded, in memory, all of one size. */
export interface PixelBlock {
  readonly data: Uint8Array // (count, height, width, channels)
  readonly shape: readonly [count: number, height: number, width: number, channels: 1 | 3]
}

/** The labelled faces of one split of a data set. */
export interface Split {
  readonly classes: readonly string[]
  /** What the pictures hold, so that a model of the same kind can be trained by default. */
  readonly color: Color
  readonly samples: readonly Sample[]
  /** Changes whenever the pictures may have changed; names the packed copy in the cache. */
  readonly fingerprint: string
  /** Present where the pixels are in memory already and need no packing. */
  readonly pixels?: PixelBlock
  /** What a user should know of how the faces were chosen. */
  readonly notes?: readonly string[]
}

export const splitNames = ['train', 'validation', 'test'] as const
export type SplitName = (typeof splitNames)[number]

/** A source of labelled faces. Nothing is read until a split is opened. */
export interface Dataset {
  /** As on the command line: `folder:faces`. */
  readonly name: string
  /** The splits present; empty for a flat data set, which answers any split with all it has. */
  readonly splits: () => Promise<readonly SplitName[]>
  /** Rejects with ERR_UNKNOWN_SPLIT, listing those present, when the split is missing. */
  readonly open: (split: SplitName) => Promise<Split>
}

/** What a split that was asked for is: `all` of a flat data set, which has no splits. */
export const splitRead = async (data: Dataset, split: SplitName): Promise<SplitName | 'all'> =>
  (await data.splits()).length === 0 ? 'all' : split
