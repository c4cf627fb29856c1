import type { DType } from '../tensor.js'

/** torch's names, which are those of `DType` where both have the type. */
export type StoredDType = DType | 'float16' | 'int16' | 'int8' | 'bool'

/** A tensor's place in its file. Every item lies inside the file, and none is repeated to fill the shape. */
export class StoredTensor {
  constructor(
    readonly dtype: StoredDType,
    readonly shape: readonly number[],
    /** In items, one for each side; not always row-major. */
    readonly strides: readonly number[],
    /** In bytes, from the beginning of the file to the first item. */
    readonly offset: number,
  ) {}
}

/** The named class of a storage, torch.FloatStorage. */
export class StorageType {
  constructor(
    readonly name: string,
    readonly dtype: StoredDType,
    readonly bytesPerItem: number,
  ) {}
}

/** A checked run of items in the file, which tensors share. */
export class StoredItems {
  constructor(
    readonly type: StorageType,
    readonly count: number,
    /** In bytes, from the beginning of the file. */
    readonly offset: number,
  ) {}
}

/** A named function of a pickle, one of the few whose result is known without calling it. */
export class KnownFunction {
  constructor(
    readonly name: string,
    readonly result: (args: readonly PickleValue[], path: string) => PickleValue,
  ) {}
}

export type PickleKey = null | boolean | number | string

/**
 * A dict is a Map; a list or tuple, an array; an int beyond 2^53, a bigint. Containers may hold themselves, and the
 * last three are seen only where a checkpoint stores a storage, a class or a function as a value.
 */
export type PickleValue =
  | PickleKey
  | bigint
  | Uint8Array
  | PickleValue[]
  | Map<PickleKey, PickleValue>
  | StoredTensor
  | StoredItems
  | StorageType
  | KnownFunction
