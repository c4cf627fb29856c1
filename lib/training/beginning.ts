import { trainingPrecisions } from '../catalog.js'
import { FerError } from '../errors.js'
import type { ModelInfo } from '../model/info.js'
import type { Network } from '../native.js'
import { oneOf } from '../options/check.js'
import type { TrainingSettings } from '../options/training.js'
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

async function beginAgain({ given, faces, output }: Call): Promise<Beginning> {
  const checkpoint = await readCheckpoint(output.checkpoint)
  const begun = checkpoint.provenance
  const settings = asBegun(given, begun.options)
  const digest = digestOf(faces)
  const { epochs } = begun.options
  checkSameRun(given.output, checkpoint, provenanceOf({ ...settings, epochs }, faces), digest)
  return {
    settings,
    provenance: { ...begun, options: { ...begun.options, epochs: given.epochs } },
    progress: checkpoint.progress,
    digest,
    changed: machineChanges(checkpoint, settings.device),
  }
}

/** What was not given, but derived from the number of epochs or from the machine, stays as the run was begun with. */
function asBegun(given: TrainingSettings, begun: Provenance['options']): TrainingSettings {
  if (given.epochs < begun.epochs) {
    throw new FerError(
      'ERR_RESUME',
      `The run in \`${given.output}\` was begun with ${begun.epochs} epochs, and \`epochs\`, now ${given.epochs}, may only grow. Give ${begun.epochs} or more`,
    )
  }
  return {
    ...given,
    warmupEpochs: given.warmupGiven ? given.warmupEpochs : Number(begun.warmupEpochs),
    precision:
      given.precision === 'auto' ? oneOf(trainingPrecisions)(begun.precision, 'precision') : given.precision,
  }
}
