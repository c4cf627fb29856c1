import { integer, optional, type Shape, signal } from './check.js'
import { type FacesOptions, type FacesSettings, facesShape } from './faces.js'

/** `split` is `train` by default. */
export interface QuantizeOptions extends FacesOptions {
  /** How many faces are measured at most, evenly spaced over the split; 512. */
  faces?: number
  /** Aborts between faces; the call then rejects with `signal.reason`. */
  signal?: AbortSignal
}

interface QuantizeSettings extends FacesSettings {
  readonly faces: number
  readonly signal: AbortSignal | undefined
}

export const quantizeShape: Shape<QuantizeSettings> = {
  ...facesShape('train'),
  faces: optional(integer(1, 1e6), 512),
  signal: optional(signal, undefined),
}
