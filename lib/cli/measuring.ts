import type { Option } from 'commander'
import { splitNames } from '../datasets/dataset.js'
import type { Dataset, FacesOptions, Model, ModelInfo, SplitName } from '../index.js'
import {
  choiceFlag,
  dataFlag,
  loadModel,
  type ModelFlags,
  modelFlags,
  readSpec,
  textFlag,
  withDefault,
} from './flags.js'
import { interruptible } from './interrupt.js'
import { showProgress } from './progress.js'

const dtypes = ['float32', 'bfloat16'] as const

/** Of commands that measure a model over faces, and write it with what they found. */
export interface MeasuringFlags extends ModelFlags {
  readonly data: string
  readonly split?: SplitName
  readonly output: string
  readonly dtype?: (typeof dtypes)[number]
}

export const measuringFlags = (): Option[] => [
  ...modelFlags(),
  dataFlag(),
  withDefault(choiceFlag('--split <name>', splitNames, 'which faces of the data'), 'train'),
  textFlag('--output <file>', 'the model to write').makeOptionMandatory(),
  withDefault(choiceFlag('--dtype <name>', dtypes, 'what its weights are kept in'), 'float32'),
]

export type MeasureModel = (
  model: Model,
  data: Dataset,
  options: FacesOptions & { readonly signal: AbortSignal },
) => Promise<void>

/** Measures the model that the flags name, and writes it. Resolves with what it then says of itself. */
export const measureAndSave = (
  { model: path, classes, data: spec, split, output, dtype }: MeasuringFlags,
  label: string,
  measure: MeasureModel,
): Promise<ModelInfo> =>
  interruptible(async (signal) => {
    const data = await readSpec(spec, '--data')
    await using model = await loadModel({ model: path, ...(classes ? { classes } : {}) })
    await showProgress(label, (listeners) =>
      measure(model, data, { ...listeners, signal, ...(split ? { split } : {}) }),
    )
    await model.save(output, dtype ? { dtype } : {})
    return model.info
  })
