import { mix } from './color.js'
import { eyeHeight } from './draw-eyes.js'
import { element, foreshortening, line, type Portrait, path, placed, sides, turned } from './svg.js'

export function drawGlasses({ identity, pose }: Portrait): string {
  if (identity.glasses === 'none') return ''
  const frame = mix(identity.cloth, '#15151a', 0.7)
  const round = identity.glasses === 'round'
  const lenses = sides.map((side) => {
    const x = side * identity.eyes.spacing
    const lens = element('rect', {
      x: -9,
      y: round ? -8 : -6.6,
      width: 18,
      height: round ? 17 : 14.5,
      rx: round ? 8.5 : 3,
      fill: '#ffffff',
      'fill-opacity': 0.1,
      stroke: frame,
      'stroke-width': 1.2,
    })
    return placed(lens, turned(x, pose.yaw), eyeHeight + pose.pitch, side * foreshortening(x, pose.yaw))
  })
  const y = eyeHeight + pose.pitch - 1
  const [left, right] = [
    turned(9 - identity.eyes.spacing, pose.yaw),
    turned(identity.eyes.spacing - 9, pose.yaw),
  ]
  return (
    lenses.join('') + line(path`M ${left} ${y} Q ${(left + right) / 2} ${y - 2.2} ${right} ${y}`, frame, 1.3)
  )
}
