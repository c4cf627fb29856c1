import { foreshortening, line, type Portrait, path, placed, type Side, shape, sides, turned } from './svg.js'

const browHeight = -14.5

export function drawBrows(portrait: Portrait): string {
  return sides.map((side) => drawBrow(portrait, side)).join('') + drawFrown(portrait)
}

function drawBrow({ identity, features, pose }: Portrait, side: Side): string {
  const { thickness, length, color, height } = identity.brows
  const { innerLift, outerLift, arch, gather } = features.brow
  const x = side * identity.eyes.spacing
  const inner = -length * 0.48 - gather
  const outer = length * 0.55
  const innerY = -innerLift
  const outerY = 0.8 - outerLift
  const middleY = (innerY + outerY) / 2 - arch * 1.6 - 1
  const half = thickness / 2
  const d =
    path`M ${inner} ${innerY - half} Q ${length * 0.12} ${middleY - half * 1.6} ${outer} ${outerY} ` +
    path`Q ${length * 0.1} ${middleY + half * 1.5} ${inner} ${innerY + half} Z`
  const brow = shape(d, color, { stroke: color, 'stroke-width': 0.8, 'stroke-linejoin': 'round' })
  const y = browHeight + height + pose.pitch + side * pose.browTilt
  return placed(brow, turned(x, pose.yaw), y, side * foreshortening(x, pose.yaw))
}

/** The corrugator's upright folds between the brows, the frontal muscle's across the forehead. */
function drawFrown({ identity, features, pose }: Portrait): string {
  const x = turned(0, pose.yaw)
  const y = browHeight + pose.pitch
  const upright = [-1.7, 1.7]
    .map((across) => path`M ${x + across} ${y - 2.5} L ${x + across * 0.8} ${y + 4}`)
    .join(' ')
  const waves = [-9.6, -12.4]
    .map((up) => path`M ${x - 9} ${y + up} Q ${x} ${y + up - 1.4} ${x + 9} ${y + up}`)
    .join(' ')
  const hairy = ['fringe bob', 'beanie', 'headscarf'].includes(identity.hair.style)
  return (
    line(upright, identity.shade, 1, 0.9 * features.brow.furrow) +
    (hairy ? '' : line(waves, identity.shade, 0.8, 0.5 * features.foreheadLines))
  )
}
