import type { Degraded } from './facts.js'

/** How a kind of degradation is told. */
export interface Kind {
  readonly title: string
  /** What its levels are, beneath the axis. */
  readonly across: string
  /** A level beneath the axis. */
  readonly tick: (level: string) => string
  /** The same within a sentence. */
  readonly told: (tick: string) => string
  /** The level of a face as it is; absent where no level is one. */
  readonly unchanged?: number
  /** Whether the levels are amounts of one thing, with others between them. */
  readonly ordered: boolean
  readonly explained?: string
}

const plainly = (text: string): string => text

const usual = { tick: plainly, told: plainly, ordered: true } as const

const inPercent = (part: string): string => `${Number((100 * Number(part)).toFixed(1))} %`

/** By name; a kind that is not among them is told by its name and its unit. */
const kinds: Readonly<Record<string, Kind>> = {
  resolution: {
    ...usual,
    title: 'Resolution',
    across: 'pixels of the longer side',
    told: (side) => `${side} pixels`,
    explained: 'Shrunk, as a camera farther away would have seen the face.',
  },
  blur: {
    ...usual,
    title: 'Blur',
    across: 'sigma, in pixels of a face of 112',
    told: (sigma) => `sigma ${sigma}`,
    unchanged: 0,
    explained: 'A Gaussian, in proportion to the face.',
  },
  noise: {
    ...usual,
    title: 'Noise',
    across: 'standard deviation, where white is 255',
    told: (deviation) => `deviation ${deviation}`,
    unchanged: 0,
    explained: "Gaussian, on every value of the picture's own pixels by itself.",
  },
  jpeg: {
    ...usual,
    title: 'JPEG',
    across: 'quality',
    told: (quality) => `quality ${quality}`,
    explained: 'Written as a JPEG and read again.',
  },
  occlusion: {
    ...usual,
    title: 'Occlusion',
    across: 'part of the picture',
    tick: inPercent,
    told: (part) => `${part} covered`,
    unchanged: 0,
    explained: 'A grey block at a place drawn at random.',
  },
  brightness: {
    ...usual,
    title: 'Brightness',
    across: 'factor: darker to the left, brighter to the right',
    told: (factor) => `factor ${factor}`,
    unchanged: 1,
    explained: 'Every value times the factor, at most white.',
  },
  saturation: {
    ...usual,
    title: 'Saturation',
    across: 'factor: grey at 0, stronger colours to the right',
    told: (factor) => `factor ${factor}`,
    unchanged: 1,
    explained: 'Every colour so many times as far from grey.',
  },
  tint: {
    ...usual,
    title: 'Colour cast',
    across: 'colour of the light',
    ordered: false,
    explained: 'The face as light of another colour would show it.',
  },
}

export const kindOf = ({ kind, unit }: Pick<Degraded, 'kind' | 'unit'>): Kind =>
  Object.hasOwn(kinds, kind) ? kinds[kind]! : { ...usual, title: kind, across: unit, ordered: false }
