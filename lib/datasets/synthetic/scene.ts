import { mix } from './color.js'
import type { Random } from './random.js'

/** How the head is held and where the eyes look. Angles in radians but for `roll`, in degrees. */
export interface Pose {
  readonly yaw: number
  readonly pitch: number // shift of the features, in hundredths of the picture's side
  readonly roll: number
  readonly scale: number
  readonly shift: readonly [x: number, y: number]
  readonly gaze: readonly [x: number, y: number]
  /** One brow a little higher than the other. */
  readonly browTilt: number
}

export interface Light {
  readonly gain: readonly [red: number, green: number, blue: number]
  /** Change of brightness from the centre to the border, as a fraction, along each axis. */
  readonly slope: readonly [x: number, y: number]
  /** Standard deviation of the sensor's noise, in grey levels. */
  readonly noise: number
}

export interface Background {
  readonly kind: 'plain' | 'gradient' | 'disc' | 'stripes'
  readonly first: string
  readonly second: string
  readonly place: number // -1 to 1
}

export type OcclusionKind = 'none' | 'hand' | 'scarf' | 'phone'

export interface Occlusion {
  readonly kind: OcclusionKind
  readonly side: -1 | 1
  readonly color: string
}

export interface Scene {
  readonly pose: Pose
  readonly light: Light
  readonly background: Background
  readonly occlusion: Occlusion
}

const wallColors = [
  '#cfd8dc',
  '#b7c9b0',
  '#e8d9c0',
  '#9fb4c7',
  '#d8b9a8',
  '#87919c',
  '#5f7480',
  '#efe9e1',
  '#a99fb8',
  '#c9a86a',
]
const scarfColors = ['#8c2f39', '#2f5d62', '#d0a13a', '#3b3f6b', '#6d7f5a']
const phoneColors = ['#22252b', '#e8e8ea', '#7a3b4a', '#33506b']

export function sceneOf(random: Random): Scene {
  return {
    pose: poseOf(random),
    light: lightOf(random),
    background: backgroundOf(random),
    occlusion: occlusionOf(random),
  }
}

function poseOf(random: Random): Pose {
  return {
    yaw: random.uniform('yaw', -0.24, 0.24),
    pitch: random.uniform('pitch', -1.6, 1.6),
    roll: random.uniform('roll', -9, 9),
    scale: random.uniform('scale', 1.02, 1.2),
    shift: [random.uniform('shift across', -3, 3), random.uniform('shift down', -3, 1.5)],
    gaze: [random.uniform('gaze across', -1.1, 1.1), random.uniform('gaze down', -0.5, 0.6)],
    browTilt: random.uniform('brow tilt', -0.7, 0.7),
  }
}

function lightOf(random: Random): Light {
  const level = random.uniform('brightness', 0.78, 1.05)
  const warmth = random.uniform('warmth', -0.08, 0.08)
  return {
    gain: [level * (1 + warmth), level, level * (1 - warmth)],
    slope: [random.uniform('light across', -0.28, 0.28), random.uniform('light down', -0.2, 0.12)],
    noise: random.uniform('noise', 1, 6),
  }
}

function backgroundOf(random: Random): Background {
  const first = random.pick('wall', wallColors)
  return {
    kind: random.pick('background', ['plain', 'gradient', 'disc', 'stripes']),
    first,
    second: mix(first, random.pick('second wall', wallColors), 0.6),
    place: random.uniform('background place', -1, 1),
  }
}

function occlusionOf(random: Random): Occlusion {
  const kind = random.chance('occluded', 0.12)
    ? random.pick('occlusion', ['hand', 'scarf', 'phone'] as const)
    : 'none'
  const colors = kind === 'scarf' ? scarfColors : phoneColors
  return { kind, side: random.pick('occluded side', [-1, 1]), color: random.pick('occlusion colour', colors) }
}
