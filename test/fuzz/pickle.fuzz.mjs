import { readPickle } from '../../lib/weights/pickle.js'
import { answerOf } from './harness.mjs'
import { assertInside } from './stored.mjs'

// Record `data/N` has N bytes, so that a mutation of its name or of the count of items can make the two agree again.
const records = new Map()
for (let size = 0, offset = 64; size < 256; offset += size, size++) {
  const name = `data/${size}`
  records.set(name, { name, offset, size })
}
const places = [...records.values()].map(({ offset, size }) => ({ begin: offset, end: offset + size }))

/** The `data.pkl` of a checkpoint. */
export async function fuzz(input) {
  const checkpoint = await answerOf(() => readPickle(input, records, 'input.pth'), 'ERR_BAD_MODEL')
  if (checkpoint !== undefined) assertInside(checkpoint, places)
}
