import type { Dataset } from '../../lib/datasets/dataset.js'
import { labelsFor } from '../../lib/datasets/labels.js'
import { pack } from '../../lib/images/pack.js'
import { softmax } from '../../lib/metrics/index.js'
import { inferenceFor } from '../../lib/model/inference.js'
import { Model } from '../../lib/model.js'
import { native } from '../../lib/native.js'

/** What a precision costs, beside float32. */
export interface Cost {
  readonly accuracy: number
  /** Share of the faces with the same top class. */
  readonly agreement: number
  /** Difference in probability of a face's furthest class. */
  readonly mean: number
  readonly largest: number
}

/** Quantises a model on training faces, and answers the validation faces in every precision. */
export async function precisionCampaign(path: string, data: Dataset): Promise<Record<string, Cost>> {
  await using model = await Model.load(path)
  await model.quantize(data)
  const split = await data.open('validation')
  const { imageSize, color, classes } = model.info
  const labels = labelsFor(classes, split)
  const images = await pack(split, { imageSize, color, augmented: false })
  const network = Model.borrow(model)
  const answer = async (precision: 'float32' | 'bfloat16' | 'int8') => {
    const options = {
      precision,
      device: 'cpu' as const,
      batchSize: 64,
      affinity: undefined,
      signal: undefined,
      flip: false,
    }
    const inference = inferenceFor(model.info, options)
    const { data: logits } = await network.evaluate(
      images,
      [...labels.keys()],
      inference,
      new native.Cancellation(),
      () => {},
    )
    const row = (face: number) => softmax(logits.subarray(face * classes.length, (face + 1) * classes.length))
    return Array.from(labels, (_, face) => row(face))
  }
  const exact = await answer('float32')
  return {
    float32: costOf(exact, exact, labels),
    bfloat16: costOf(await answer('bfloat16'), exact, labels),
    int8: costOf(await answer('int8'), exact, labels),
  }
}

type Rows = readonly Float64Array[]

function costOf(rows: Rows, exact: Rows, labels: Int32Array): Cost {
  const share = (holds: (face: number) => boolean) =>
    rows.filter((_, face) => holds(face)).length / rows.length
  const differences = rows.map((row, face) => Math.max(...row.map((p, k) => Math.abs(p - exact[face]![k]!))))
  return {
    accuracy: share((face) => top(rows[face]!) === labels[face]),
    agreement: share((face) => top(rows[face]!) === top(exact[face]!)),
    mean: differences.reduce((sum, difference) => sum + difference, 0) / rows.length,
    largest: Math.max(...differences),
  }
}

const top = (row: Float64Array): number => row.indexOf(Math.max(...row))
