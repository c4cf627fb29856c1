import type { Features } from './features.js'
import type { Identity } from './identity.js'
import type { Pose } from './scene.js'

/** All that the parts of one drawing need to know. */
export interface Portrait {
  readonly identity: Identity
  readonly features: Features
  readonly pose: Pose
}

export type Side = -1 | 1
export const sides: readonly Side[] = [-1, 1]

type Value = string | number | undefined

export function element(name: string, attributes: Readonly<Record<string, Value>>, content = ''): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === 'number' ? short(value) : value}"`)
    .join('')
  return content ? `<${name}${written}>${content}</${name}>` : `<${name}${written}/>`
}

export function shape(d: string, fill: string, attributes: Readonly<Record<string, Value>> = {}): string {
  return element('path', { d, fill, ...attributes })
}

export function line(d: string, color: string, width: number, opacity = 1): string {
  if (opacity <= 0.02) return ''
  return element('path', {
    d,
    fill: 'none',
    stroke: color,
    'stroke-width': width,
    'stroke-linecap': 'round',
    'stroke-linejoin': 'round',
    opacity: opacity < 1 ? opacity : undefined,
  })
}

export function ellipse(
  x: number,
  y: number,
  radiusX: number,
  radiusY: number,
  fill: string,
  opacity?: number,
): string {
  return element('ellipse', { cx: x, cy: y, rx: radiusX, ry: radiusY, fill, opacity })
}

/** Path data with its numbers shortened: path`M ${1.23456} 0` gives `M 1.23 0`. */
export function path(texts: TemplateStringsArray, ...numbers: readonly number[]): string {
  return texts.reduce((data, text, index) => data + short(numbers[index - 1]!) + text)
}

/** Draws `content`, made for the viewer's right side, around a point of the face; mirrored on the left. */
export function placed(content: string, x: number, y: number, scaleX: number): string {
  return `<g transform="translate(${short(x)} ${short(y)}) scale(${short(scaleX)} 1)">${content}</g>`
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}

// Half the width of the ball on which the features sit, a little more than half the widest head.
const ballRadius = 33

/** Where a feature at `x` on a frontal face is seen when the head is turned. */
export function turned(x: number, yaw: number): number {
  return ballRadius * Math.sin(Math.asin(x / ballRadius) + yaw)
}

/** How much narrower a feature at `x` looks when the head is turned. */
export function foreshortening(x: number, yaw: number): number {
  const angle = Math.asin(x / ballRadius)
  return Math.cos(angle + yaw) / Math.cos(angle)
}
