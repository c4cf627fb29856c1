import { setImmediate } from 'node:timers/promises'
import { combine, scramble } from '../datasets/synthetic/random.js'

/** Deviates that are drawn once; a power of two, more than a picture of 256 pixels in colour needs. */
const poolSize = 2 ** 18
/** Values in a row, some milliseconds of the event loop. */
const atOnce = 2 ** 20

/**
 * The values plus Gaussian noise of the deviation given, rounded, from 0 to 255. A pure function: each key begins at
 * a place of its own in one long list of normal deviates, which larger pictures go through several times.
 */
export async function addNoise(data: Uint8Array, deviation: number, key: number): Promise<Uint8Array> {
  const noisy = new Uint8ClampedArray(data.length)
  const [normal, first] = [normalDeviates(), scramble(key)]
  for (let start = 0; start < data.length; start += atOnce) {
    if (start > 0) await setImmediate()
    const end = Math.min(start + atOnce, data.length)
    for (let i = start; i < end; i++) noisy[i] = data[i]! + deviation * normal[(first + i) % poolSize]!
  }
  return new Uint8Array(noisy.buffer)
}

let deviates: Float32Array | undefined

function normalDeviates(): Float32Array {
  deviates ??= drawDeviates()
  return deviates
}

/** Box and Muller 1958, doi 10.1214/aoms/1177706645: two deviates from two uniform numbers. */
function drawDeviates(): Float32Array {
  const drawn = new Float32Array(poolSize)
  for (let i = 0; i < poolSize; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(uniform(i)))
    const angle = 2 * Math.PI * uniform(i + 1)
    drawn[i] = radius * Math.cos(angle)
    drawn[i + 1] = radius * Math.sin(angle)
  }
  return drawn
}

/** Between 0 and 1, both excluded. */
const uniform = (counter: number): number => (combine(0, counter) + 0.5) / 2 ** 32
