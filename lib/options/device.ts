import type { DeviceName } from '../catalog.js'
import { type Check, fail } from './check.js'

export const device: Check<DeviceName> = (value, name) =>
  typeof value === 'string' && /^(auto|cpu|cuda(:(0|[1-9]\d?))?)$/.test(value)
    ? (value as DeviceName)
    : fail(name, 'auto, cpu, cuda or cuda:N', value)
