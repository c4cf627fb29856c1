import { backboneOf } from '../model/assumed.js'
import { type ModelInfo, readInfo } from '../model/info.js'
import { ofFile, openWeights, type WeightsFile } from '../model/weights.js'
import type { Network, TensorEntry, TensorPlace } from '../native.js'
import { fail } from '../options/check.js'
import { refusal } from '../weights/refusal.js'
import type { PretrainedReport } from './events.js'

type Spec = Pick<ModelInfo, 'backbone' | 'classes'>

/**
 * Gives a fresh network the weights of a file wherever name and shape fit, and says what did not. The classifier's are
 * taken only where its classes are the same in the same order. ERR_INVALID_OPTION where the backbone is another.
 */
export async function adoptWeights(network: Network, path: string, spec: Spec): Promise<PretrainedReport> {
  const weights = await openWeights(path)
  try {
    const backbone = backboneOf(weights.tensors)
    if (!backbone)
      throw refusal(path, 'its weights are not those of a ResNet-18 or ResNet-34', 'Choose another file')
    if (backbone !== spec.backbone)
      fail('backbone', `\`${backbone}\`, that of the pretrained weights`, spec.backbone)
    const { taken, report } = match(network.state(), weights, spec)
    await ofFile(path, () => network.adopt({ ...weights.source, tensors: taken }))
    return report
  } finally {
    await weights.close()
  }
}

function match(own: readonly TensorEntry[], weights: WeightsFile, spec: Spec) {
  const given = new Map(weights.tensors.map((tensor) => [tensor.name, tensor]))
  const sameClasses = classesOf(weights)?.join() === spec.classes.join()
  const reasons = own.map((entry) => misfit(entry, given.get(entry.name), sameClasses))
  const taken = own.flatMap(({ name }, i) => (reasons[i] === undefined ? [given.get(name)!] : []))
  const known = new Set(own.map(({ name }) => name))
  const report: PretrainedReport = {
    path: weights.path,
    taken: taken.length,
    fresh: own.flatMap(({ name }, i) => (reasons[i] ? [`${name} (${reasons[i]})`] : [])),
    unused: weights.tensors.map(({ name }) => name).filter((name) => !known.has(name)),
  }
  return { taken, report }
}

/** Why a tensor begins fresh; empty where that is of no interest, undefined where it does not. */
function misfit(own: TensorEntry, given: TensorPlace | undefined, sameClasses: boolean): string | undefined {
  if (!given) return own.name.endsWith('.num_batches_tracked') ? '' : 'not in the file'
  const [here, there] = [own.shape.join(' x '), given.shape.join(' x ')]
  if (here !== there) return `${there || 'a number'} in the file, ${here} here`
  if (own.name.startsWith('fc.') && !sameClasses) return 'of other or unknown classes'
  return undefined
}

/** What the classifier's rows stand for, which only a header says. */
const classesOf = ({ metadata, path }: WeightsFile): readonly string[] | undefined =>
  metadata?.format?.startsWith('fer-torch') ? readInfo(path, metadata).classes : undefined
