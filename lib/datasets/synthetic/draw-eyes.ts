import { mix } from './color.js'
import {
  ellipse,
  foreshortening,
  line,
  type Portrait,
  path,
  placed,
  type Side,
  shape,
  sides,
  turned,
} from './svg.js'

export const eyeHeight = -3

/** The lids as path data: the upper from the inner corner to the outer, the lower back. Outwards is positive. */
interface Lids {
  readonly start: string
  readonly upper: string
  readonly turn: string
  readonly lower: string
}

export function drawEyes(portrait: Portrait): string {
  const lids = lidsOf(portrait)
  return sides.map((side) => drawEye(portrait, side, lids)).join('')
}

function lidsOf({ identity, features }: Portrait): Lids {
  const { halfWidth: w, opening, tilt } = identity.eyes
  const { slant } = features.eye
  // A cubic peaks at three quarters of the height of its handles.
  const upper = Math.max(features.eye.upper * opening, 1) / 0.75
  const lower = Math.max(features.eye.lower * opening, -0.4) / 0.75
  return {
    start: path`M ${-w} 0.5 `,
    upper: path`C ${-w * 0.6} ${slant - upper} ${w * 0.55} ${-slant - upper} ${w} ${tilt} `,
    turn: path`M ${w} ${tilt} `,
    lower: path`C ${w * 0.55} ${lower} ${-w * 0.55} ${lower} ${-w} 0.5 `,
  }
}

function drawEye(portrait: Portrait, side: Side, lids: Lids): string {
  const { identity, pose } = portrait
  const x = side * identity.eyes.spacing
  const almond = `${lids.start}${lids.upper}${lids.lower}Z`
  const content = [
    shape(almond, '#fbfaf6'),
    drawIris(portrait, side),
    // Skin with a hole in it hides the iris beyond the lids.
    shape(`${skinAround} ${almond}`, identity.skin, { 'fill-rule': 'evenodd' }),
    line(lids.start + lids.upper, mix(identity.shade, '#140a08', 0.75), 1.1 + 0.5 * identity.eyes.lashes),
    line(lids.turn + lids.lower, identity.shade, 0.9, 0.8),
    drawPouch(portrait),
  ].join('')
  return placed(content, turned(x, pose.yaw), eyeHeight + pose.pitch, side * foreshortening(x, pose.yaw))
}

const irisRadius = 3.5
const skinAround = 'M -5.8 -0.4 A 5.8 5.8 0 0 1 5.8 -0.4 A 5.8 5.8 0 0 1 -5.8 -0.4 Z'

function drawIris({ identity, pose }: Portrait, side: Side): string {
  const [across, down] = pose.gaze
  const x = side * across
  const y = down - 0.4
  return [
    ellipse(x, y, irisRadius, irisRadius, mix(identity.eyes.color, '#000000', 0.35)),
    ellipse(x, y, 2.9, 2.9, identity.eyes.color),
    ellipse(x, y, 1.7, 1.7, '#0d0a09'),
    ellipse(x + side * 1.1, y - 1.2, 0.8, 0.8, '#ffffff'),
  ].join('')
}

/** Under the eye; the raised cheek deepens it and pushes it up. */
function drawPouch({ identity, features }: Portrait): string {
  const { halfWidth: w } = identity.eyes
  const { cheek } = features.eye
  const d = path`M ${-w * 0.8} ${5.2 - cheek} Q 0 ${8.2 - 2.4 * cheek} ${w} ${4.2 - cheek}`
  return line(d, identity.shade, 1, 0.15 + 0.5 * cheek)
}
