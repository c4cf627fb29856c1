import { readFile } from 'node:fs/promises'
import { fromBinary } from '@bufbuild/protobuf'
import * as ort from 'onnxruntime-web'
import { type ModelProto, ModelProtoSchema } from '../../lib/onnx/onnx_pb.js'
import type { Tensor } from '../../lib/tensor.js'

// More threads would be workers, which Node does not lend it.
ort.env.wasm.numThreads = 1

/** What onnxruntime makes of float32 pictures (N, 3, S, S): one list of logits a picture. */
export async function logitsOf(path: string, images: Tensor<'float32'>): Promise<number[][]> {
  const session = await ort.InferenceSession.create(await readFile(path))
  try {
    const { logits } = await session.run({ images: new ort.Tensor('float32', images.data, images.shape) })
    const [count, classes] = logits!.dims as [number, number]
    const flat = [...(logits!.data as Float32Array)]
    return Array.from({ length: count }, (_, i) => flat.slice(i * classes, (i + 1) * classes))
  } finally {
    await session.release()
  }
}

export const parse = async (path: string): Promise<ModelProto> =>
  fromBinary(ModelProtoSchema, await readFile(path))

export const metadataOf = ({ metadataProps }: ModelProto): Record<string, string> =>
  Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]))

/** Pictures (N, S, S, 3) as the metadata of a file ask for them: (N, 3, S, S). */
export function inputFor(metadata: Record<string, string>, pictures: Tensor<'uint8'>): Tensor<'float32'> {
  const [count, height, width] = pictures.shape as [number, number, number, number]
  const { mean, deviation } = JSON.parse(metadata.normalization!)
  const area = height * width
  const data = new Float32Array(count * 3 * area)
  for (let i = 0; i < count * area; i++) {
    const [red, green, blue] = pictures.data.subarray(3 * i, 3 * i + 3) as unknown as [number, number, number]
    const grey = Math.round((299 * red + 587 * green + 114 * blue) / 1000)
    const levels = metadata.color === 'grey' ? [grey, grey, grey] : [red, green, blue]
    const first = 3 * area * Math.floor(i / area) + (i % area)
    for (const [c, level] of levels.entries()) data[first + c * area] = (level / 255 - mean[c]) / deviation[c]
  }
  return { dtype: 'float32', shape: [count, 3, height, width], data }
}
