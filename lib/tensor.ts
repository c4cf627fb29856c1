/** The typed array that holds each dtype; bfloat16 and float16 travel as their bits. */
export interface TypedArrays {
  uint8: Uint8Array
  int32: Int32Array
  int64: BigInt64Array
  bfloat16: Uint16Array
  float16: Uint16Array
  float32: Float32Array
  float64: Float64Array
}

export type DType = keyof TypedArrays

/** A row-major view over memory that LibTorch reads and writes in place. */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D
  readonly shape: readonly number[]
  readonly data: TypedArrays[D]
}
