/** Red, green and blue, 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number]

export function parse(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16)
  return [value >> 16, (value >> 8) & 255, value & 255]
}

export function format(color: Rgb): string {
  return `#${color.map((part) => Math.round(part).toString(16).padStart(2, '0')).join('')}`
}

/** `share` 0 gives the first colour, 1 the second. */
export function mix(first: string, second: string, share: number): string {
  const [from, to] = [parse(first), parse(second)]
  const blend = (channel: 0 | 1 | 2) => from[channel] + (to[channel] - from[channel]) * share
  return format([blend(0), blend(1), blend(2)])
}

/** The colour at `position` (0 to 1) along evenly spaced stops. */
export function along(stops: readonly string[], position: number): string {
  const place = position * (stops.length - 1)
  const index = Math.min(Math.floor(place), stops.length - 2)
  return mix(stops[index]!, stops[index + 1]!, place - index)
}

/** Rec. 601 luma, 0 to 1. */
export function brightness(color: string): number {
  const [red, green, blue] = parse(color)
  return (0.299 * red + 0.587 * green + 0.114 * blue) / 255
}
