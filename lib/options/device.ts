import { type Check, fail } from './check.js'

/**
 * Where to compute: `cpu`; `cuda` or `cuda:N`, an NVIDIA GPU, which takes an addon built for it; `auto`, the first GPU
 * where one can be used and the processor elsewhere.
 */
export type DeviceName = 'auto' | 'cpu' | 'cuda' | `cuda:${number}`

export const device: Check<DeviceName> = (value, name) =>
  typeof value === 'string' && /^(auto|cpu|cuda(:(0|[1-9]\d?))?)$/.test(value)
    ? (value as DeviceName)
    : fail(name, 'auto, cpu, cuda or cuda:N', value)
