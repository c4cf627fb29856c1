import { chosenPrecision } from '../calls.js'
import { native } from '../native.js'
import type { TrainingSettings } from '../options/training.js'
import { version } from '../version.js'
import type { PretrainedReport } from './events.js'
import { countOf, type TrainingFaces } from './faces.js'

/** What a model file says of its making. */
export interface Provenance extends Readonly<Record<string, unknown>> {
  readonly versions: Readonly<Record<string, string>>
  /** Every option that decides the result, in its normal form. */
  readonly options: Readonly<Record<string, unknown>> & { readonly epochs: number }
}

export const versions = (): Readonly<Record<string, string>> => ({
  ferTorch: version,
  libTorch: native.describe().libTorch,
  node: process.version,
})

export function provenanceOf(
  settings: TrainingSettings,
  faces: TrainingFaces,
  pretrained?: PretrainedReport,
): Provenance {
  const {
    data,
    validation,
    output,
    resume,
    device,
    checkpointMinutes,
    patience,
    maxMinutes,
    signal,
    onPack,
    warmupGiven,
    ...options
  } = settings
  return {
    versions: versions(),
    data: data.map((source) => source.data.name).join('; '),
    trainingFaces: countOf(faces.training),
    validatedOn: faces.validatedOn,
    validationFaces: countOf(faces.validation),
    options: { ...options, color: faces.color, precision: chosenPrecision(options.precision, device) },
    ...(pretrained ? { pretrained } : {}),
  }
}
