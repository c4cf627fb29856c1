import { mix } from './color.js'
import type { Mouth } from './features.js'
import { element, ellipse, foreshortening, line, type Portrait, path, placed, shape, turned } from './svg.js'

const mouthHeight = 19.5
const closedBelow = 0.8

export function drawMouth(portrait: Portrait): string {
  const { identity, features, pose } = portrait
  const mouth = { ...features.mouth, halfWidth: features.mouth.halfWidth * identity.mouth.width }
  const content =
    mouth.lower - mouth.upper < closedBelow ? drawClosed(portrait, mouth) : drawOpen(portrait, mouth)
  return placed(
    content,
    turned(0, pose.yaw),
    mouthHeight + identity.mouth.height + pose.pitch,
    foreshortening(0, pose.yaw),
  )
}

/** The handle that makes a cubic between the corners pass through `middle` at its centre. */
function handle(middle: number, corner: number): number {
  return (4 * middle - corner) / 3
}

function lip({ halfWidth: w, corner, roundness }: Mouth, middle: number, direction: 1 | -1): string {
  const x = w * roundness * direction
  const y = handle(middle, corner)
  return path`C ${-x} ${y} ${x} ${y} ${w * direction} ${corner}`
}

function drawClosed({ identity }: Portrait, mouth: Mouth): string {
  const { halfWidth: w, corner, upper, tightness } = mouth
  const fullness = identity.lipFullness * Math.max(0.25, 1 - 0.8 * tightness)
  const seam = path`M ${-w} ${corner} ` + lip(mouth, upper, 1)
  const above = lip(mouth, upper - 1.9 * fullness, -1)
  const below = lip({ ...mouth, halfWidth: w * 0.92 }, upper + 2.7 * fullness, -1)
  return [
    shape(`${seam} ${above} Z`, identity.lips),
    shape(`${seam} ${below} Z`, mix(identity.lips, '#ffffff', 0.08)),
    line(seam, mix(identity.lips, '#1c0508', 0.72), 1.5),
  ].join('')
}

function drawOpen({ identity }: Portrait, mouth: Mouth): string {
  const { halfWidth: w, corner, upper, lower } = mouth
  const inside = `${path`M ${-w} ${corner} `}${lip(mouth, upper, 1)} ${lip(mouth, lower, -1)} Z`
  const clip = element('clipPath', { id: 'mouth' }, element('path', { d: inside }))
  const lipWidth = 3 * identity.lipFullness * Math.max(0.55, 1 - 0.35 * mouth.tightness)
  return [
    `<defs>${clip}</defs>`,
    line(inside, identity.lips, lipWidth),
    shape(inside, '#4a1216'),
    element('g', { 'clip-path': 'url(#mouth)' }, drawInside(mouth)),
    line(inside, mix(identity.lips, '#1c0508', 0.65), 0.7),
  ].join('')
}

function drawInside(mouth: Mouth): string {
  const { halfWidth: w, corner, upper, lower, upperTeeth, lowerTeeth } = mouth
  const gap = lower - upper
  const biteLine = upper + gap * upperTeeth
  const lowerTop = Math.max(lower - gap * lowerTeeth, biteLine + 0.4)
  const teeth = (y: number, bottom: number) =>
    bottom > y ? element('rect', { x: -w, y, width: 2 * w, height: bottom - y, fill: '#fbf8ef' }) : ''
  return [
    ellipse(0, lower + 0.6, w * 0.55, Math.max(gap * 0.36, 1), '#c4545c'),
    teeth(Math.min(upper, corner) - 1, biteLine),
    lowerTeeth > 0.05 ? teeth(lowerTop, lower + 4) : '',
  ].join('')
}

export function drawBeard(portrait: Portrait): string {
  const { beard, beardColor, skin } = portrait.identity
  if (beard === 'none') return ''
  if (beard === 'moustache') return drawMoustache(portrait, beardColor)
  const color = beard === 'stubble' ? mix(skin, beardColor, 0.38) : beardColor
  return drawJawBeard(portrait, color) + (beard === 'full' ? drawMoustache(portrait, color) : '')
}

/** Follows the jaw and leaves the lips, their corners and the chin's movement to be seen. */
function drawJawBeard({ identity, features, pose }: Portrait, color: string): string {
  const { halfWidth: w, jaw, chin, chinWidth } = identity.head
  const bottom = chin + features.jawDrop
  const jawY = 23 + features.jawDrop * 0.6
  const x = turned(0, pose.yaw)
  const edge = Math.max(mouthHeight + features.mouth.lower, mouthHeight + features.mouth.corner) + 4.5
  const d =
    path`M ${-w} 2 C ${-w} 10 ${-jaw - 2.5} ${jawY - 8} ${-jaw} ${jawY} C ${3 - jaw} ${jawY + 7} ${-chinWidth} ${bottom} 0 ${bottom} ` +
    path`C ${chinWidth} ${bottom} ${jaw - 3} ${jawY + 7} ${jaw} ${jawY} C ${jaw + 2.5} ${jawY - 8} ${w} 10 ${w} 2 ` +
    path`L ${w - 3} 3 C ${w - 5} 18 ${x + 15} ${edge - 2} ${x} ${Math.min(edge, bottom - 3)} C ${x - 15} ${edge - 2} ${5 - w} 18 ${3 - w} 3 Z`
  return shape(d, color)
}

function drawMoustache({ identity, features, pose }: Portrait, color: string): string {
  const { upper, corner, halfWidth } = features.mouth
  const y = mouthHeight + identity.mouth.height + upper - 2.8
  const tipY = mouthHeight + identity.mouth.height + Math.min(corner, upper + 4) - 2
  const tip = halfWidth * 0.5 + 6.5
  const d =
    path`M 0 ${y - 3} C 5 ${y - 4} ${tip - 1} ${tipY - 4} ${tip} ${tipY} C ${tip - 3} ${tipY - 1.5} 4 ${y + 0.5} 0 ${y} ` +
    path`C -4 ${y + 0.5} ${3 - tip} ${tipY - 1.5} ${-tip} ${tipY} C ${1 - tip} ${tipY - 4} -5 ${y - 4} 0 ${y - 3} Z`
  return placed(shape(d, color), turned(0, pose.yaw), pose.pitch, foreshortening(0, pose.yaw))
}
