import { combine, scramble } from './random.js'
import type { Light } from './scene.js'

// A sum of four bytes is close to normal (Irwin and Hall); its mean is 4 * 127.5, its variance 4 * (256^2 - 1) / 12.
const byteSumMean = 510
const byteSumDeviation = Math.sqrt((4 * (256 ** 2 - 1)) / 12)

/** Lights a square RGB picture and adds the sensor's noise, in place. */
export function applyLight(pixels: Uint8Array, side: number, light: Light, key: number): void {
  const noiseKey = combine(key, 0)
  const rounded = new Uint8ClampedArray(pixels.buffer, pixels.byteOffset, pixels.byteLength)
  for (let row = 0, offset = 0; row < side; row++) {
    const down = 1 + light.slope[1] * fromCentre(row, side)
    for (let column = 0; column < side; column++) {
      const gain = down + light.slope[0] * fromCentre(column, side)
      for (let channel = 0; channel < 3; channel++, offset++) {
        const noise = light.noise * normal(noiseKey + offset)
        rounded[offset] = pixels[offset]! * gain * light.gain[channel]! + noise
      }
    }
  }
}

function fromCentre(index: number, side: number): number {
  return (2 * index + 1) / side - 1
}

function normal(counter: number): number {
  const bits = scramble(counter)
  const sum = (bits & 255) + ((bits >>> 8) & 255) + ((bits >>> 16) & 255) + (bits >>> 24)
  return (sum - byteSumMean) / byteSumDeviation
}
