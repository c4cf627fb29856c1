import { mix } from './color.js'
import type { Background, Occlusion } from './scene.js'
import { element, ellipse, line, type Portrait, path, shape } from './svg.js'

const wall = 'M -50 -50 H 50 V 50 H -50 Z'

export function drawBackground({ kind, first, second, place }: Background): string {
  const plain = shape(wall, first)
  if (kind === 'disc') return plain + ellipse(place * 28, -8, 36, 36, second)
  if (kind === 'stripes') {
    const stripes = [-60, -30, 0, 30].map((x) => path`M ${x + place * 12} -50 h 12 l 16 100 h -12 Z`)
    return plain + shape(stripes.join(' '), second)
  }
  if (kind === 'plain') return plain
  const stops =
    element('stop', { 'stop-color': first }) + element('stop', { offset: 1, 'stop-color': second })
  const gradient = element('linearGradient', { id: 'wall', x1: 0, y1: 0, x2: place, y2: 1 }, stops)
  return `<defs>${gradient}</defs>${shape(wall, 'url(#wall)')}`
}

/** Each hides one part and leaves enough of the others: half the mouth, the chin, or one eye with its brow. */
export function drawOcclusion(portrait: Portrait, { kind, side, color }: Occlusion): string {
  if (kind === 'hand') return drawHand(portrait, side)
  if (kind === 'scarf') return drawScarf(portrait, color)
  if (kind === 'phone') return drawPhone(side, color)
  return ''
}

/** A palm on one cheek: it may cover a corner of the mouth, never its middle. */
function drawHand({ identity }: Portrait, side: number): string {
  const { skin, shade } = identity
  const tone = mix(skin, '#ffffff', 0.06)
  const fingers = [
    [27, 28, 25, 2],
    [22, 28, 19.5, 4],
    [17, 30, 14.5, 9],
  ] as const
  const drawn = fingers.map(([fromX, fromY, toX, toY]) => {
    const d = path`M ${fromX} ${fromY} L ${toX} ${toY}`
    return line(d, shade, 6.4) + line(d, tone, 5.2)
  })
  const palm = 'M 12 30 Q 14 24 22 25 Q 31 24 31 34 L 36 60 L 16 60 Q 10 40 12 30 Z'
  const hand = drawn.join('') + shape(palm, tone, { stroke: shade, 'stroke-width': 0.8 })
  return `<g transform="scale(${side} 1)">${hand}</g>`
}

/** Wound around the chin, up to under the lower lip. */
function drawScarf({ identity, features }: Portrait, color: string): string {
  const top = Math.max(
    27,
    20.5 + Math.max(features.mouth.lower, features.mouth.corner) + 2.5 + identity.mouth.height,
  )
  const dark = mix(color, '#000000', 0.28)
  return [
    shape(path`M -32 ${top - 3} Q 0 ${top + 5} 32 ${top - 3} L 38 62 L -38 62 Z`, color),
    line(
      path`M -31 ${top + 4} Q 0 ${top + 12} 31 ${top + 4} M -30 ${top + 10} Q 0 ${top + 18} 30 ${top + 10}`,
      dark,
      1.4,
    ),
  ].join('')
}

/** Held up before one eye. */
function drawPhone(side: number, color: string): string {
  const body = element('rect', { x: 5, y: -30, width: 19, height: 36, rx: 3, fill: color })
  const camera = ellipse(10, -25.5, 2.2, 2.2, mix(color, '#888888', 0.6))
  return `<g transform="translate(${side * 2} 0) scale(${side} 1) rotate(6)">${body}${camera}</g>`
}
