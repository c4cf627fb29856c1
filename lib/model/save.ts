import { settled } from '../calls.js'
import type { Network } from '../native.js'
import { makePrefix } from '../safetensors.js'
import { type ModelInfo, metadataOf } from './info.js'

/** Writes one safetensors file, its floating tensors as `dtype`, whole or not at all. */
export async function saveNetwork(
  network: Network,
  info: ModelInfo,
  path: string,
  dtype: 'float32' | 'bfloat16',
): Promise<void> {
  await settled(() => {
    const isFloat = (name: string) => name === 'float32' || name === 'bfloat16'
    const tensors = network.state().map((entry) => (isFloat(entry.dtype) ? { ...entry, dtype } : entry))
    return network.save(path, makePrefix(tensors, metadataOf(info)), dtype)
  })
}
