import type { Picture } from '../datasets/dataset.js'
import type { NativeExplanation, NativeInput } from '../native.js'
import { fail, oneOf, readOptions } from '../options/check.js'
import { type OverlayOptions, overlayShape } from '../options/explain.js'
import { type Answer, answerOf, byClass } from './answer.js'
import type { ModelInfo } from './info.js'
import { drawOverlay } from './overlay.js'

/**
 * Where in a face an answer comes from. Each map has a value for each place of the backbone's last stage, row-major from
 * the top left; together they cover the face, `columns` places across and `rows` down.
 */
export interface Explanation extends Answer {
  readonly rows: number
  readonly columns: number
  /** Grad-CAM (arXiv:1610.02391) by class: what speaks for it. Not negative. */
  readonly gradCam: Readonly<Record<string, Float32Array>>
  /**
   * What each place adds to the logit of a class, for or against it. Exact, since all that follows the backbone is
   * linear: the map and `bias` add up to the logit that `predict` gives.
   */
  readonly evidence: Readonly<Record<string, Float32Array>>
  readonly bias: Readonly<Record<string, number>>
  /** How much ARM's de-albino counts each place, 1 in the mean, whatever the face; absent without ARM. */
  readonly reach?: Float32Array
  /** A PNG: the face in grey, and a map over it. Of `evidence` orange speaks for the class and blue against it. */
  overlay(options?: OverlayOptions): Promise<Buffer>
}

export function toExplanation(native: NativeExplanation, input: NativeInput, info: ModelInfo): Explanation {
  const { classes, temperature = 1 } = info
  const [, rows, columns] = native.gradCam.shape as [number, number, number]
  const { answer } = answerOf(native.logits.data, info)
  // As the logits are, which these are parts of.
  const mapsOf = ({ data }: { readonly data: Float32Array }) =>
    byClass(classes, (_, i) =>
      data.subarray(i * rows * columns, (i + 1) * rows * columns).map((value) => value / temperature),
    )
  const [gradCam, evidence] = [mapsOf(native.gradCam), mapsOf(native.evidence)]
  const reach = native.reach?.data
  const face = faceOf(input)
  return {
    ...answer,
    rows,
    columns,
    gradCam,
    evidence,
    bias: byClass(classes, (_, i) => native.bias.data[i]! / temperature),
    ...(reach ? { reach } : {}),
    overlay: async (options = {}) => {
      const { map, class: name = answer.label, side } = readOptions(options, overlayShape)
      oneOf(classes)(name, 'class')
      const values = { gradCam: gradCam[name], evidence: evidence[name], reach }[map]
      if (!values) fail('map', '`gradCam` or `evidence`: the model has no de-albino', map)
      return drawOverlay(face, { values, rows, columns }, side)
    },
  }
}

/** A copy of the part that the network saw: raw pixels belong to the caller, who may change them. */
function faceOf({ data, shape, box }: NativeInput): Picture {
  const [down, across, channels] = shape as [number, number, 1 | 3]
  const { left, top, width, height } = box ?? { left: 0, top: 0, width: across, height: down }
  const rows = Array.from({ length: height }, (_, row) => {
    const start = ((top + row) * across + left) * channels
    return data.subarray(start, start + width * channels)
  })
  return { data: Buffer.concat(rows), width, height, channels }
}
