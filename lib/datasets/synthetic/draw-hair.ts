import { mix } from './color.js'
import type { HairStyle } from './identity.js'
import { ellipse, line, type Portrait, path, shape } from './svg.js'

// The brows of a surprised face rise to about y = -23; no hairline comes below this.
const lowestHairline = -25.5

/** What hangs behind the head and the shoulders. */
export function drawHairBehind({ identity }: Portrait): string {
  const { head, hair, cloth } = identity
  const w = head.halfWidth
  const dark = mix(hair.color, '#000000', 0.22)
  const drawings: Partial<Record<HairStyle, () => string>> = {
    afro: () => ellipse(0, -12, w + 8 + hair.volume, 30 + hair.volume, hair.color),
    bob: () => curtain(w + 4, 24, dark),
    'fringe bob': () => curtain(w + 4, 26, dark),
    'middle part': () => curtain(w + 3, 8, dark),
    long: () => curtain(w + 5, 60, dark),
    bun: () => ellipse(0, head.top - 5, 9 + hair.volume * 0.5, 8, dark),
    headscarf: () =>
      shape(
        path`M ${-w - 5} -8 C ${-w - 6} 30 -26 48 -40 60 L 40 60 C 26 48 ${w + 6} 30 ${w + 5} -8 Z`,
        cloth,
      ),
  }
  return drawings[hair.style]?.() ?? ''
}

function curtain(half: number, bottom: number, color: string): string {
  const tip = half - 3
  return shape(
    path`M 0 -42 C ${half * 0.8} -42 ${half} -22 ${half} -4 L ${half + 1.5} ${bottom - 6} Q ${half} ${bottom} ${tip} ${bottom} ` +
      path`L ${-tip} ${bottom} Q ${-half} ${bottom} ${-half - 1.5} ${bottom - 6} L ${-half} -4 C ${-half} -22 ${-half * 0.8} -42 0 -42 Z`,
    color,
  )
}

/** What lies on the head, above the brows. */
export function drawHairInFront(portrait: Portrait): string {
  const { hair, head, cloth } = portrait.identity
  const shift = portrait.pose.yaw * 18
  const part = hair.partAt + shift
  const top = head.top
  const drawings: Record<HairStyle, () => string> = {
    bald: () => line(path`M -12 ${top + 5} Q -4 ${top + 2} 3 ${top + 3.5}`, '#ffffff', 2.2, 0.35),
    buzz: () => cap(portrait, { volume: 0.6, partX: shift, hairline: -28.5, side: -6, opacity: 0.85 }),
    'side part': () => cap(portrait, { volume: hair.volume, partX: part, hairline: -29, side: -4 }),
    'middle part': () => cap(portrait, { volume: hair.volume, partX: shift, hairline: -31, side: 0 }),
    quiff: () => quiff(portrait, shift),
    curls: () => cap(portrait, { volume: 2, partX: shift, hairline: -27, side: -3 }) + curls(portrait),
    afro: () => cap(portrait, { volume: 6, partX: shift, hairline: -27.5, side: 2 }),
    'fringe bob': () =>
      cap(portrait, { volume: 3, partX: shift, hairline: lowestHairline, side: 10, fringe: true }),
    bob: () => cap(portrait, { volume: hair.volume, partX: part, hairline: -30, side: 8 }),
    long: () => cap(portrait, { volume: hair.volume, partX: part, hairline: -30, side: 6 }),
    bun: () => cap(portrait, { volume: 1.5, partX: shift, hairline: -28, side: -4 }),
    headscarf: () => headscarf(portrait, cloth),
    beanie: () => beanie(portrait, mix(cloth, '#20242c', 0.25)),
  }
  return drawings[hair.style]()
}

interface Cap {
  readonly volume: number
  readonly partX: number
  readonly hairline: number
  /** How far down the hair comes at the temples. */
  readonly side: number
  readonly opacity?: number
  readonly fringe?: boolean
}

function cap(
  { identity }: Portrait,
  { volume, partX, hairline, side, opacity, fringe = false }: Cap,
): string {
  const { head, hair } = identity
  const out = head.halfWidth + Math.min(volume * 0.5, 1.8)
  const top = head.top - volume
  const inner = head.halfWidth - 2.6
  // A fringe runs straight across; other hairlines fall away from the parting.
  const reach = fringe ? 0.9 : 0.55
  const handleY = Math.min(hairline + (fringe ? 0 : 0.7), lowestHairline)
  const handleX = (edge: number) => partX + (edge - partX) * reach
  const outline =
    path`M ${-out} ${side} C ${-out - 0.8} -24 ${-out * 0.62} ${top} 0 ${top} C ${out * 0.62} ${top} ${out + 0.8} -24 ${out} ${side} ` +
    path`L ${inner} ${side - 2} C ${inner * 1.02} -18 ${handleX(inner)} ${handleY} ${partX} ${hairline} ` +
    path`C ${handleX(-inner)} ${handleY} ${-inner * 1.02} -18 ${-inner} ${side - 2} Z`
  const sheen = line(
    path`M ${-out * 0.5} ${top + 7} Q ${-out * 0.1} ${top + 2.5} ${out * 0.35} ${top + 4.5}`,
    '#ffffff',
    1.6,
    0.16,
  )
  return shape(outline, hair.color, { opacity }) + sheen
}

function quiff(portrait: Portrait, shift: number): string {
  const { head, hair } = portrait.identity
  const top = head.top
  const crest = path`M -21 ${top + 8} C -26 ${top - 6} -8 ${top - 9} 6 ${top - 7 - hair.volume * 0.4} C 20 ${top - 6} 25 ${top + 3} 21 ${top + 9} Q 2 ${top + 3} -21 ${top + 8} Z`
  return (
    cap(portrait, { volume: 0.8, partX: shift, hairline: -28.5, side: -6 }) +
    shape(crest, hair.color) +
    line(path`M -15 ${top + 2} Q -2 ${top - 5} 12 ${top - 2}`, '#ffffff', 1.4, 0.15)
  )
}

function curls({ identity }: Portrait): string {
  const { head, hair } = identity
  const angles = [-78, -58, -39, -20, 0, 20, 39, 58, 78]
  return angles
    .map((degrees, index) => {
      const angle = (degrees * Math.PI) / 180
      const x = (head.halfWidth - 2) * Math.sin(angle)
      const y = -8 + (head.top + 9) * Math.cos(angle)
      return ellipse(x, y, 6.6, 6.2, mix(hair.color, '#ffffff', index % 2 ? 0.07 : 0))
    })
    .join('')
}

function headscarf({ identity }: Portrait, color: string): string {
  const { halfWidth: w, top, chin } = identity.head
  const ring =
    path`M 0 ${top - 5} C ${w * 0.75} ${top - 5} ${w + 6} -24 ${w + 5} -4 C ${w + 5} 18 22 ${chin + 14} 0 ${chin + 16} C -22 ${chin + 14} ${-w - 5} 18 ${-w - 5} -4 C ${-w - 6} -24 ${-w * 0.75} ${top - 5} 0 ${top - 5} Z ` +
    path`M 0 -29.5 C -19 -29.5 ${2.5 - w} -15 ${2.5 - w} -2 C ${2.5 - w} 16 -17 ${chin + 3} 0 ${chin + 5} C 17 ${chin + 3} ${w - 2.5} 16 ${w - 2.5} -2 C ${w - 2.5} -15 19 -29.5 0 -29.5 Z`
  const fold = line(path`M ${-w - 1} -8 C ${-w} -26 -14 -33 4 -33`, mix(color, '#000000', 0.3), 1, 0.7)
  return shape(ring, color, { 'fill-rule': 'evenodd' }) + fold
}

function beanie({ identity }: Portrait, color: string): string {
  const { halfWidth: w, top } = identity.head
  const dome = path`M ${-w * 0.95} -22 C ${-w * 0.98} ${top + 3} ${-w * 0.66} ${top - 5} 0 ${top - 5} C ${w * 0.66} ${top - 5} ${w * 0.98} ${top + 3} ${w * 0.95} -22 Q 0 -28 ${-w * 0.95} -22 Z`
  const band = path`M ${-w * 0.98} -19.5 Q 0 -31 ${w * 0.98} -19.5 L ${w * 0.93} -28 Q 0 -40 ${-w * 0.93} -28 Z`
  return shape(dome, color) + shape(band, mix(color, '#ffffff', 0.22))
}
