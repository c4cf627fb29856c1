import { type TrainingPrecisionName, trainingPrecisions } from '../catalog.js'
import type { Box } from '../native.js'
import { integer, oneOf, optional, type Shape, signal, text } from './check.js'

/** Of a single face there is no batch. */
export const lonelyAffinities = ['ema', 'none'] as const

export interface ExplainOptions {
  /** The face, in pixels of the upright picture, where the picture brings no box along. */
  box?: Box
  /** `auto` (the default): bfloat16 where the processor multiplies it in hardware, else float32. */
  precision?: TrainingPrecisionName
  /** Where ARM's generic part comes from; by default the running mean. */
  affinity?: (typeof lonelyAffinities)[number]
  signal?: AbortSignal
}

export const explainShape: Shape<{
  readonly box: Box | undefined
  readonly precision: TrainingPrecisionName
  readonly affinity: (typeof lonelyAffinities)[number] | undefined
  readonly signal: AbortSignal | undefined
}> = {
  box: optional((value: unknown) => value as Box, undefined),
  precision: optional(oneOf(trainingPrecisions), 'auto'),
  affinity: optional(oneOf(lonelyAffinities), undefined),
  signal: optional(signal, undefined),
}

export const explanationMaps = ['gradCam', 'evidence', 'reach'] as const
export type ExplanationMap = (typeof explanationMaps)[number]

export interface OverlayOptions {
  /** `gradCam` by default. */
  map?: ExplanationMap
  /** Whose map; the answer's by default. `reach` is the same for all. */
  class?: string
  /** Of the longer side of the overlay, in pixels; by default that of the face, but at least 256 and at most 1024. */
  side?: number
}

export const overlayShape: Shape<{
  readonly map: ExplanationMap
  readonly class: string | undefined
  readonly side: number | undefined
}> = {
  map: optional(oneOf(explanationMaps), 'gradCam'),
  class: optional(text, undefined),
  side: optional(integer(16, 4096), undefined),
}
