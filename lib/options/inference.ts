import { type AffinityName, affinities, type DeviceName, type PrecisionName, precisions } from '../catalog.js'
import { boolean, integer, oneOf, optional, type Shape, signal } from './check.js'
import { device } from './device.js'

/** What evaluate, predict and features have in common. */
export interface InferenceOptions {
  /** Faces computed at once; 64. With affinity `batch` also the group whose mean is shared. */
  batchSize?: number
  /** `auto` (the default): bfloat16 where the device multiplies it in hardware, else float32. */
  precision?: PrecisionName
  /** Where to compute; `auto` by default: an NVIDIA GPU where the addon is built for it and there is one, else the processor. */
  device?: DeviceName
  /**
   * Where ARM's generic part comes from. By default the running mean (`ema`), so that a face's answer depends on that
   * face alone; `batch` is the published behaviour, for reproducing papers only; `none` leaves it out.
   */
  affinity?: AffinityName
  /** Answers the mean of each picture and its mirror image, at twice the cost; off by default. */
  flip?: boolean
  /** Aborts between batches; the call then rejects with `signal.reason`. */
  signal?: AbortSignal
}

export interface InferenceSettings {
  readonly batchSize: number
  readonly precision: PrecisionName
  readonly device: DeviceName
  readonly affinity: AffinityName | undefined
  readonly flip: boolean
  readonly signal: AbortSignal | undefined
}

export const inferenceShape: Shape<InferenceSettings> = {
  batchSize: optional(integer(1, 65536), 64),
  precision: optional(oneOf(precisions), 'auto'),
  device: optional(device, 'auto'),
  affinity: optional(oneOf(affinities), undefined),
  flip: optional(boolean, false),
  signal: optional(signal, undefined),
}
