import { isNumber } from './page/numbers.js'

/** Images a second over several epochs of as many images each: the harmonic mean. */
export function meanRate(
  epochs: readonly { readonly imagesPerSecond?: number | undefined }[],
): number | undefined {
  const rates = epochs.map(({ imagesPerSecond }) => imagesPerSecond).filter(isNumber)
  return rates.length > 0 ? rates.length / rates.reduce((sum, rate) => sum + 1 / rate, 0) : undefined
}
