import { FerError } from '../errors.js'
import type { ModelInfo } from '../model/info.js'
import type { Network } from '../native.js'
import { readTrainOptions, type TrainingSettings, type TrainOptions } from '../options/training.js'
import {
  checkSameRun,
  digestOf,
  freshProgress,
  machineChanges,
  type Progress,
  readCheckpoint,
} from './checkpoint.js'
import type { PretrainedReport } from './events.js'
import type { TrainingFaces } from './faces.js'
import type { Output } from './output.js'
import { adoptWeights } from './pretrained.js'
import { type Provenance, provenanceOf } from './provenance.js'

/** Where a run begins. */
export interface Beginning {
  readonly settings: TrainingSettings
  readonly provenance: Provenance
  /** Of a resumed run that of its checkpoint, else fresh. */
  readonly progress: Progress
  /** A digest of the faces. */
  readonly digest: string
  /** What changed since the checkpoint was written. */
  readonly changed: readonly string[]
  readonly pretrained?: PretrainedReport
}

interface Call {
  readonly options: TrainOptions
  readonly given: TrainingSettings
  readonly faces: TrainingFaces
  readonly output: Output
  readonly network: Network
  readonly spec: Omit<ModelInfo, 'provenance'>
}

/** At its checkpoint, if the run has one and is to be resumed, else at the first step. */
export const begin = (call: Call): Promise<Beginning> =>
  call.given.resume && call.output.begun ? beginAgain(call) : beginAnew(call)

async function beginAnew({ given, faces, network, spec }: Call): Promise<Beginning> {
  const pretrained = given.pretrained ? await adoptWeights(network, given.pretrained, spec) : undefined
  return {
    settings: given,
    provenance: provenanceOf(given, faces, pretrained),
    progress: freshProgress(),
    digest: digestOf(faces),
    changed: [],
    ...(pretrained ? { pretrained } : {}),
  }
}

async function beginAgain({ options, given, faces, output }: Call): Promise<Beginning> {
  const checkpoint = await readCheckpoint(output.checkpoint)
  const begun = checkpoint.provenance
  const settings = settingsOfResumed(options, given, begun.options.epochs)
  const digest = digestOf(faces)
  checkSameRun(given.output, checkpoint, provenanceOf(settings, faces), digest)
  return {
    settings: { ...settings, epochs: given.epochs },
    provenance: { ...begun, options: { ...begun.options, epochs: given.epochs } },
    progress: checkpoint.progress,
    digest,
    changed: machineChanges(checkpoint),
  }
}

/** Its epochs may grow; what was derived from their number, such as the warm-up, stays as it was. */
function settingsOfResumed(options: TrainOptions, given: TrainingSettings, epochs: number): TrainingSettings {
  if (given.epochs >= epochs) return readTrainOptions({ ...options, epochs })
  throw new FerError(
    'ERR_RESUME',
    `The run in \`${given.output}\` was begun with ${epochs} epochs, and \`epochs\`, now ${given.epochs}, may only grow. Give ${epochs} or more`,
  )
}
