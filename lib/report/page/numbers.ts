/** What is shown where a value is not known. */
export const unknown = '–'

/** Between a number and its unit: no line breaks there. */
const space = '\u00a0'

export const percent = (fraction: number | undefined, digits = 1): string =>
  isNumber(fraction) ? `${(100 * fraction).toFixed(digits)}${space}%` : unknown

/** A difference of two rates, of which each is given in percent; never -0.0. */
export const points = (difference: number): string => (Math.round(1000 * difference) / 10).toFixed(1)

export const fixed = (value: number | undefined, digits = 3): string =>
  isNumber(value) ? value.toFixed(digits) : unknown

/** With its thousands apart. */
export const count = (value: number | undefined): string =>
  isNumber(value) ? value.toLocaleString('en') : unknown

/** `1 face`, `1,234 faces`. */
export const counted = (value: number, noun: string): string =>
  `${count(value)}${space}${noun}${value === 1 ? '' : 's'}`

export const minutes = (seconds: number | undefined): string =>
  isNumber(seconds) ? `${(seconds / 60).toFixed(seconds < 600 ? 1 : 0)}${space}min` : unknown

export const gigabytes = (bytes: number | undefined): string =>
  isNumber(bytes) ? `${(bytes / 1e9).toFixed(2)}${space}GB` : unknown

/** `[0.859, 0.882]` as `85.9 to 88.2 %`. */
export const interval = (range: readonly [number, number] | undefined): string =>
  range ? `${(100 * range[0]).toFixed(1)} to ${(100 * range[1]).toFixed(1)}${space}%` : unknown

export const isNumber = (value: unknown): value is number =>
  typeof value === 'number' && Number.isFinite(value)
