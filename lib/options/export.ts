import { type Check, fail, oneOf, optional, type Shape } from './check.js'

export interface ExportOptions {
  /**
   * Where ARM's generic part comes from. By default the running mean (`ema`), as in prediction; `none` leaves it out.
   * Either becomes a part of the last bias.
   */
  affinity?: ExportAffinity
}

export type ExportAffinity = (typeof exportAffinities)[number]

export interface ExportSettings {
  readonly affinity: ExportAffinity | undefined
}

export const exportAffinities = ['ema', 'none'] as const

export const exportAffinity: Check<ExportAffinity> = (value, name) =>
  value === 'batch'
    ? fail(name, 'ema or none: with `batch` an answer is no function of one face', value)
    : oneOf(exportAffinities)(value, name)

export const exportShape: Shape<ExportSettings> = { affinity: optional(exportAffinity, undefined) }
