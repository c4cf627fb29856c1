import assert from 'node:assert/strict'
import { StoredTensor } from '../../lib/weights/pth.js'

const bytesPerItem = {
  bool: 1,
  uint8: 1,
  int8: 1,
  int16: 2,
  float16: 2,
  bfloat16: 2,
  int32: 4,
  float32: 4,
  int64: 8,
  float64: 8,
}

/** Every tensor of a checkpoint, which may hold itself, lies wholly inside one of the [begin, end) places. */
export function assertInside(checkpoint, places) {
  for (const tensor of tensorsOf(checkpoint)) {
    const end = tensor.offset + reach(tensor) * bytesPerItem[tensor.dtype]
    assert.ok(
      places.some((place) => place.begin <= tensor.offset && end <= place.end),
      `[${tensor.offset}, ${end}) of ${JSON.stringify(tensor)} lies in none of ${JSON.stringify(places)}`,
    )
  }
}

function tensorsOf(checkpoint) {
  const seen = new Set([checkpoint])
  // A set is walked over what is added meanwhile; recursion would end with the stack.
  for (const value of seen) {
    const parts = value instanceof Map ? value.values() : Array.isArray(value) ? value : []
    for (const part of parts) seen.add(part)
  }
  return [...seen].filter((value) => value instanceof StoredTensor)
}

/** In items, from the first to beyond the last. */
function reach({ shape, strides }) {
  assert.equal(shape.length, strides.length)
  for (const number of [...shape, ...strides]) assert.ok(Number.isSafeInteger(number) && number >= 0)
  if (shape.includes(0)) return 0
  return shape.reduce((items, side, axis) => items + (side - 1) * strides[axis], 1)
}
