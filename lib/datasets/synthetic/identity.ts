import { along, brightness, mix } from './color.js'
import { keyOf, type Random, randomOf } from './random.js'

export const hairStyles = [
  'bald',
  'buzz',
  'side part',
  'middle part',
  'quiff',
  'curls',
  'afro',
  'fringe bob',
  'bob',
  'long',
  'bun',
  'headscarf',
  'beanie',
] as const
export type HairStyle = (typeof hairStyles)[number]

export type Beard = 'none' | 'stubble' | 'moustache' | 'full'
export type Glasses = 'none' | 'round' | 'square'

/** What stays the same in every picture of one person. Lengths are hundredths of the picture's side. */
export interface Identity {
  readonly head: {
    halfWidth: number
    top: number
    jaw: number
    chin: number
    chinWidth: number
    ears: number
  }
  readonly skin: string
  /** Lines and shadows on the skin. */
  readonly shade: string
  readonly lips: string
  readonly lipFullness: number
  readonly hair: { style: HairStyle; color: string; volume: number; partAt: number }
  readonly cloth: string
  readonly eyes: {
    spacing: number
    halfWidth: number
    opening: number
    tilt: number
    color: string
    lashes: number
  }
  readonly brows: { thickness: number; length: number; color: string; height: number }
  readonly nose: { width: number; length: number; pointed: boolean }
  readonly mouth: { width: number; height: number }
  readonly beard: Beard
  readonly beardColor: string
  readonly glasses: Glasses
  readonly freckles: boolean
  readonly blush: number
}

// From very light to very dark, after the ten tones of the Monk Skin Tone scale (Monk, 2022), warmed.
const skinTones = ['#f8dac8', '#f1cab0', '#e6b999', '#d19f7c', '#b5805d', '#926149', '#714936', '#563828']
const fairHair = ['#1d1614', '#3a261b', '#5b3a22', '#7d5430', '#a8743c', '#d2a659', '#e6cb8b', '#a8481f']
const darkHair = ['#120e0d', '#1c1412', '#2c1d17', '#3f2819']
const agedHair = ['#8d8a88', '#c9c6c2', '#6b6866']
const dyedHair = ['#c2567f', '#3f6fb0', '#6f4aa0', '#2f8a84']
const darkIrises = ['#2c1a0f', '#3d2413', '#5a3718', '#6e4a1f']
const fairIrises = ['#5a3718', '#6e5a23', '#4f7346', '#3c6fa3', '#5f7d91']
const clothColors = [
  '#2f4858',
  '#8c3b3b',
  '#f0efe9',
  '#3d6b4f',
  '#d9a441',
  '#5c4b8a',
  '#22252b',
  '#c97b63',
  '#6fa8c7',
]

export function identityOf(seed: number, number: number): Identity {
  const random = randomOf(keyOf(seed, 'identity', number))
  const tone = random.uniform('skin tone', 0, 1)
  const skin = along(skinTones, tone)
  const style = random.pick('hair style', hairStyles)
  const naturalHair = hairColor(random, tone)
  return {
    head: headOf(random),
    skin,
    shade: mix(skin, '#2a0f08', 0.42),
    lips: mix(mix(skin, '#a32a35', random.uniform('lip colour', 0.3, 0.6)), '#3a1015', tone * 0.2),
    lipFullness: random.uniform('lip fullness', 0.7, 1.25),
    hair: {
      style,
      color: random.chance('dyed', 0.04) ? random.pick('dye', dyedHair) : naturalHair,
      volume: random.uniform('hair volume', 1.5, 5),
      partAt: random.uniform('hair part', 6, 14) * random.pick('part side', [-1, 1]),
    },
    cloth: random.pick('cloth', clothColors),
    eyes: eyesOf(random, tone),
    brows: {
      thickness: random.uniform('brow thickness', 1.7, 3.2),
      length: random.uniform('brow length', 13, 15.5),
      color: browColor(naturalHair, skin),
      height: random.uniform('brow height', -0.8, 0.8),
    },
    nose: {
      width: random.uniform('nose width', 3.2, 5.4),
      length: random.uniform('nose length', -1.5, 1.5),
      pointed: random.chance('nose kind', 0.5),
    },
    mouth: {
      width: random.uniform('mouth width', 0.9, 1.14),
      height: random.uniform('mouth height', -1, 1),
    },
    beard: beardOf(random, style),
    beardColor: naturalHair,
    glasses: random.chance('glasses', 0.2) ? random.pick('glasses kind', ['round', 'square']) : 'none',
    freckles: tone < 0.45 && random.chance('freckles', 0.25),
    blush: random.uniform('blush', 0, 0.17),
  }
}

function headOf(random: Random): Identity['head'] {
  return {
    halfWidth: random.uniform('head width', 26.5, 31),
    top: random.uniform('head top', -38, -35),
    jaw: random.uniform('jaw', 18.5, 24.5),
    chin: random.uniform('chin', 36.5, 40.5),
    chinWidth: random.uniform('chin width', 6, 14),
    ears: random.uniform('ears', 0.85, 1.2),
  }
}

function eyesOf(random: Random, tone: number): Identity['eyes'] {
  return {
    spacing: random.uniform('eye spacing', 11.6, 13.6),
    halfWidth: random.uniform('eye width', 6.2, 7.2),
    opening: random.uniform('eye opening', 1, 1.16),
    tilt: random.uniform('eye tilt', -0.9, 0.5),
    color: random.pick('iris', tone > 0.42 ? darkIrises : fairIrises),
    lashes: random.uniform('lashes', 1, 1.8),
  }
}

function hairColor(random: Random, tone: number): string {
  if (random.chance('aged', 0.13)) return random.pick('age', agedHair)
  return random.pick('hair colour', tone > 0.42 ? darkHair : fairHair)
}

/** Brows tell the expression, so they keep a contrast to the skin that fair hair would not give them. */
function browColor(hair: string, skin: string): string {
  const ceiling = brightness(skin) * 0.45
  const share = Math.max(0, 1 - ceiling / Math.max(brightness(hair), 0.01))
  return mix(hair, '#160c08', share)
}

function beardOf(random: Random, style: HairStyle): Beard {
  const shortHaired: readonly HairStyle[] = ['bald', 'buzz', 'side part', 'quiff', 'curls', 'afro', 'beanie']
  if (!shortHaired.includes(style) || !random.chance('beard', 0.45)) return 'none'
  return random.pick('beard kind', ['stubble', 'moustache', 'full'])
}
