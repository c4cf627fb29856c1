import { plain } from '../errors.js'
import type { TensorPlace } from '../native.js'
import type { DType } from '../tensor.js'
import { refusal } from './refusal.js'
import { type PickleValue, StoredTensor } from './values.js'

/** Keys under which training scripts keep the weights, in the order looked for. */
const wrappers = ['model_state_dict', 'state_dict', 'model', 'net', 'weights']
/** What DataParallel, compile() and other wrappers put before every name. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'backbone.', 'net.']
const readable: readonly string[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int64',
  'int32',
  'uint8',
] satisfies DType[]

/** The weights that a checkpoint holds, wherever it keeps them, by the names of this package. ERR_BAD_MODEL. */
export function weightsIn(value: PickleValue, path: string): TensorPlace[] {
  const tensors =
    wrappers.map((key) => tensorsOf(entry(value, key))).find((found) => found.length > 0) ?? tensorsOf(value)
  if (tensors.length === 0) throw refusal(path, 'it holds no weights', 'Save the `state_dict()` of a model')
  return renamed(tensors.map(([name, tensor]) => place(name, tensor, path)))
}

const entry = (value: PickleValue, key: string) => (value instanceof Map ? value.get(key) : undefined)

function tensorsOf(value: PickleValue | undefined): [string, StoredTensor][] {
  if (!(value instanceof Map)) return []
  return [...value].filter(
    (pair): pair is [string, StoredTensor] => typeof pair[0] === 'string' && pair[1] instanceof StoredTensor,
  )
}

function place(name: string, { dtype, shape, strides, offset }: StoredTensor, path: string): TensorPlace {
  if (!readable.includes(dtype)) throw refusal(path, `its tensor \`${plain(name)}\` is of type ${dtype}`)
  return { name, dtype: dtype as DType, shape, strides, offset }
}

/** The same tensors by this package's names, which are torchvision's and, for its head, those of the ARM code. */
export function renamed(tensors: readonly TensorPlace[]): TensorPlace[] {
  const bare = withoutPrefixes(tensors)
  return bare.map((tensor) =>
    asParameter({ ...tensor, name: tensor.name.replace(/^features\.(\d)(?=\.)/, part) }),
  )
}

function withoutPrefixes(tensors: readonly TensorPlace[]): readonly TensorPlace[] {
  const prefix = prefixes.find((prefix) => tensors.every(({ name }) => name.startsWith(prefix)))
  if (prefix === undefined || tensors.length === 0) return tensors
  return withoutPrefixes(tensors.map((tensor) => ({ ...tensor, name: tensor.name.slice(prefix.length) })))
}

/** The official ARM code keeps a ResNet's children, without pooling and classifier, as `features.0` to `features.7`. */
const children: Readonly<Record<string, string>> = {
  0: 'conv1',
  1: 'bn1',
  4: 'layer1',
  5: 'layer2',
  6: 'layer3',
  7: 'layer4',
}
const part = (whole: string, index: string) => children[index] ?? whole

/** Alpha, a number alone, is kept as an array of one. */
const asParameter = (tensor: TensorPlace): TensorPlace =>
  tensor.name === 'arm.alpha' && tensor.shape.length === 0 ? { ...tensor, shape: [1], strides: [1] } : tensor
