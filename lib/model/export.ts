import { settled } from '../calls.js'
import { writeAtomically } from '../files.js'
import { tempered } from '../metrics/temperature.js'
import type { NativeGraph, Network } from '../native.js'
import { onnxFile } from '../onnx/file.js'
import { onnxGraph } from '../onnx/graph.js'
import type { ExportAffinity } from '../options/export.js'
import type { ModelInfo } from './info.js'

const format = 'fer-torch onnx 1'

/** Writes the network as it is at inference, whole or not at all. ERR_UNCALIBRATED, ERR_OUTPUT. */
export async function exportNetwork(
  network: Network,
  info: ModelInfo,
  path: string,
  affinity: ExportAffinity,
): Promise<void> {
  const graph = await settled(() => network.graph(affinity))
  const calibrated = onnxGraph(withTemperature(graph, info.temperature), info.imageSize)
  await writeAtomically(path, onnxFile(calibrated, describe(info, affinity)))
}

/** The logits are linear in what is read of the map: dividing that divides them, at no cost. */
function withTemperature({ steps, reading }: NativeGraph, temperature?: number): NativeGraph {
  const divided = (tensor: typeof reading.weight) => ({ ...tensor, data: tempered(tensor.data, temperature) })
  return { steps, reading: { weight: divided(reading.weight), bias: divided(reading.bias) } }
}

/** All that it takes to use the file: ONNX's metadata are texts, so what has parts is JSON. */
const describe = (info: ModelInfo, affinity: ExportAffinity): Record<string, string> => ({
  format,
  classes: JSON.stringify(info.classes),
  imageSize: String(info.imageSize),
  color: info.color,
  normalization: JSON.stringify(info.normalization),
  input: inputOf(info),
  affinity,
  temperature: String(info.temperature ?? 1),
  provenance: JSON.stringify(info.provenance),
})

function inputOf({ imageSize, color }: ModelInfo): string {
  const colored =
    color === 'grey'
      ? 'in grey, round((299 R + 587 G + 114 B) / 1000), as three equal channels'
      : 'in R, G and B'
  return (
    `images, float32 (N, 3, ${imageSize}, ${imageSize}): one face each, ${colored}, resized on both axes to ` +
    `${imageSize} pixels (bilinear, antialiased), each value of 0 to 255 then (value / 255 - mean) / deviation`
  )
}
