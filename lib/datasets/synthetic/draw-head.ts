import { mix } from './color.js'
import type { HairStyle } from './identity.js'
import { ellipse, line, type Portrait, path, shape, turned } from './svg.js'

export function drawBody({ identity }: Portrait): string {
  const { cloth, skin, shade } = identity
  const neck = identity.head.jaw * 0.48
  return [
    shape(path`M ${-neck} 24 L ${neck} 24 L ${neck + 1} 50 L ${-neck - 1} 50 Z`, mix(skin, shade, 0.35)),
    shape('M -46 70 C -44 48 -24 46 -12 42 Q 0 52 12 42 C 24 46 44 48 46 70 Z', cloth),
    line('M -12 42 Q 0 52 12 42', mix(cloth, '#000000', 0.3), 1),
  ].join('')
}

export function drawHead(portrait: Portrait): string {
  const { skin, head, blush } = portrait.identity
  const { yaw } = portrait.pose
  const cheeks = [-17, 17].map((x) => ellipse(turned(x, yaw), 10, 6, 4.5, '#d8433f', blush))
  return [
    hidesEars(portrait.identity.hair.style) ? '' : drawEars(portrait),
    shape(outline(portrait), skin),
    blush > 0.05 ? cheeks.join('') : '',
    portrait.identity.freckles ? drawFreckles(portrait) : '',
    drawChin(portrait, head.chin + portrait.features.jawDrop),
  ].join('')
}

function outline({ identity, features }: Portrait): string {
  const { halfWidth: w, top, jaw, chin, chinWidth } = identity.head
  const bottom = chin + features.jawDrop
  const jawY = 23 + features.jawDrop * 0.6
  return (
    path`M 0 ${top} C ${w * 0.62} ${top} ${w} -23 ${w} -5 C ${w} 8 ${jaw + 2.5} ${jawY - 8} ${jaw} ${jawY} ` +
    path`C ${jaw - 3} ${jawY + 7} ${chinWidth} ${bottom} 0 ${bottom} ` +
    path`C ${-chinWidth} ${bottom} ${3 - jaw} ${jawY + 7} ${-jaw} ${jawY} ` +
    path`C ${-jaw - 2.5} ${jawY - 8} ${-w} 8 ${-w} -5 C ${-w} -23 ${-w * 0.62} ${top} 0 ${top} Z`
  )
}

function hidesEars(style: HairStyle): boolean {
  return ['middle part', 'fringe bob', 'bob', 'long', 'headscarf'].includes(style)
}

function drawEars({ identity, pose }: Portrait): string {
  const { head, skin, shade } = identity
  // A turned head shows more of one ear and hides the other.
  return [-1, 1]
    .map((side) => {
      const x = side * (head.halfWidth + 0.6) - pose.yaw * 9
      const inner = ellipse(x + side * 0.4, 1.5, 1.8 * head.ears, 3.4 * head.ears, shade, 0.45)
      return ellipse(x, 1, 4 * head.ears, 6.4 * head.ears, skin) + inner
    })
    .join('')
}

function drawFreckles({ identity, pose }: Portrait): string {
  const spots = [-19, 7, -15.5, 9.5, -12, 7.5, 12, 7.5, 15.5, 9.5, 19, 7, -17, 12, 17, 12, -9, 10, 9, 10]
  return Array.from({ length: spots.length / 2 }, (_, index) =>
    ellipse(turned(spots[2 * index]!, pose.yaw), spots[2 * index + 1]!, 0.7, 0.6, identity.shade, 0.5),
  ).join('')
}

/** The chin boss pushes the skin under the lower lip into a small arc. */
function drawChin({ identity, features, pose }: Portrait, bottom: number): string {
  const x = turned(0, pose.yaw)
  const y = bottom - 8
  return line(
    path`M ${x - 4.5} ${y + 1.6} Q ${x} ${y - 1.6} ${x + 4.5} ${y + 1.6}`,
    identity.shade,
    1,
    0.65 * features.chinDimple,
  )
}
