import { plain } from '../errors.js'
import type { ArchiveRecord } from './archive.js'
import { refusal } from './refusal.js'
import { type PickleValue, StorageType, StoredItems, StoredTensor } from './values.js'

export const storageTypes: readonly StorageType[] = [
  new StorageType('torch.FloatStorage', 'float32', 4),
  new StorageType('torch.DoubleStorage', 'float64', 8),
  new StorageType('torch.HalfStorage', 'float16', 2),
  new StorageType('torch.BFloat16Storage', 'bfloat16', 2),
  new StorageType('torch.LongStorage', 'int64', 8),
  new StorageType('torch.IntStorage', 'int32', 4),
  new StorageType('torch.ShortStorage', 'int16', 2),
  new StorageType('torch.CharStorage', 'int8', 1),
  new StorageType('torch.ByteStorage', 'uint8', 1),
  new StorageType('torch.BoolStorage', 'bool', 1),
]

// Tensors may share one shape, which is looked through for each of them; so too the key of a storage.
const mostSides = 16
const storageKey = /^\d{1,20}$/

/** The items of a persistent id: ('storage', type, key, location, count of items). */
export function findItems(
  id: PickleValue,
  records: ReadonlyMap<string, ArchiveRecord>,
  path: string,
): StoredItems {
  const [kind, type, key, , count] = Array.isArray(id) ? id : []
  if (kind !== 'storage' || !(type instanceof StorageType) || !isKey(key) || !isCount(count))
    throw refusal(path, 'its pickle refers to something that is not a storage')
  const name = `data/${key}`
  const record = records.get(name)
  if (!record) throw refusal(path, `it has no record \`${plain(name)}\`, which its pickle names`)
  if (record.size !== count * type.bytesPerItem)
    throw refusal(
      path,
      `its record \`${plain(name)}\` has ${record.size} bytes, not ${count} ${type.dtype} values`,
    )
  return new StoredItems(type, count, record.offset)
}

/** torch._utils._rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, backward_hooks, metadata) */
export function rebuildTensor(args: readonly PickleValue[], path: string): StoredTensor {
  const [items, first, shape, strides] = args
  if (!(items instanceof StoredItems) || !isCount(first) || !isSides(shape) || !isSides(strides))
    throw refusal(path, 'one of its tensors has no proper storage, offset, shape or strides')
  refuseLazy(args[6], path)
  const place = `one of its tensors, of shape (${plain(shape.join(', '))}),`
  if (shape.length !== strides.length) throw refusal(path, `${place} has ${strides.length} strides`)
  const { type, count, offset } = items
  if (first + reach(shape, strides) > count)
    throw refusal(path, `${place} reaches beyond the ${count} values of its storage`)
  // What a file can make its reader allocate stays as large as the file.
  if (product(shape) > count)
    throw refusal(path, `${place} repeats the ${count} values of its storage`, 'Save it after .contiguous()')
  return new StoredTensor(type.dtype, [...shape], [...strides], offset + first * type.bytesPerItem)
}

/** torch._utils._rebuild_parameter(tensor, requires_grad, backward_hooks) */
export function rebuildParameter([tensor]: readonly PickleValue[], path: string): StoredTensor {
  if (tensor instanceof StoredTensor) return tensor
  throw refusal(path, 'one of its parameters is not a tensor')
}

/** The metadata of a tensor says that its values are to be negated or conjugated first. */
function refuseLazy(metadata: PickleValue | undefined, path: string): void {
  if (metadata === undefined || metadata === null) return
  if (metadata instanceof Map && metadata.size === 0) return
  throw refusal(path, 'one of its tensors is lazily negated or conjugated', 'Save it after .resolve_neg()')
}

// Beyond 2^53 both are inexact, but never so far that they fall below a storage's count, which is exact.
const reach = (shape: readonly number[], strides: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((items, side, axis) => items + (side - 1) * strides[axis]!, 1)
const product = (shape: readonly number[]): number =>
  shape.includes(0) ? 0 : shape.reduce((items, side) => items * side, 1)

const isKey = (value: unknown): value is string => typeof value === 'string' && storageKey.test(value)
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0
const isSides = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= mostSides && value.every(isCount)
