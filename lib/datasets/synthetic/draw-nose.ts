import { foreshortening, line, type Portrait, path, placed, turned } from './svg.js'

export function drawNose({ identity, features, pose }: Portrait): string {
  const { nose, shade } = identity
  const { wrinkle, flare } = features.nose
  const width = nose.width * flare
  const base = 8.5 + nose.length - 1.6 * wrinkle
  const facing = pose.yaw < 0 ? -1 : 1
  const bridge = nose.pointed
    ? path`M ${facing * 2} -3 L ${facing * (width * 0.75)} ${base - 3.5}`
    : path`M ${facing * 2} -2 Q ${facing * 2.6} ${base - 6} ${facing * width * 0.8} ${base - 3}`
  const tip = path`M ${-width} ${base - 1.4} Q ${-width * 0.9} ${base + 1} ${-width * 0.45} ${base} Q 0 ${base + 2.2} ${width * 0.45} ${base} Q ${width * 0.9} ${base + 1} ${width} ${base - 1.4}`
  const wings = [-1, 1]
    .map(
      (side) =>
        path`M ${side * width} ${base - 1.4} Q ${side * (width + 1)} ${base - 3.6} ${side * width * 0.75} ${base - 4.6}`,
    )
    .join(' ')
  const content = [
    line(bridge, shade, 1, 0.4),
    line(tip, shade, 1.3),
    line(wings, shade, 1.1, 0.5 + 0.4 * wrinkle),
    drawWrinkles(shade, wrinkle),
  ].join('')
  return placed(content, turned(0, pose.yaw) * 1.12, pose.pitch, foreshortening(0, pose.yaw))
}

function drawWrinkles(shade: string, wrinkle: number): string {
  const folds = [-4.6, -2, 0.6].map((y) => path`M -3.6 ${y - 0.9} Q 0 ${y + 1} 3.6 ${y - 0.9}`).join(' ')
  return line(folds, shade, 1, 0.9 * wrinkle)
}

/** The folds from the wings of the nose around the mouth. */
export function drawSmileLines({ identity, features, pose }: Portrait): string {
  const { halfWidth, corner } = features.mouth
  const x = turned(0, pose.yaw)
  const out = halfWidth * identity.mouth.width + 3.2
  const top = 7 - 1.5 * features.nose.wrinkle
  const folds = [-1, 1].map(
    (side) =>
      path`M ${x + side * (identity.nose.width + 2.4)} ${top} Q ${x + side * (out + 0.5)} ${top + 4} ${x + side * out} ${18 + corner * 0.6}`,
  )
  return line(folds.join(' '), identity.shade, 1, 0.6 * features.smileLines)
}
