import type { Expression } from '../expressions.js'
import type { Random } from './random.js'

/** The expressions that are drawn, in the canonical order of the labels. */
export const drawnExpressions = [
  'surprise',
  'fear',
  'disgust',
  'happiness',
  'sadness',
  'anger',
  'neutral',
] as const satisfies readonly Expression[]
export type DrawnExpression = (typeof drawnExpressions)[number]

/** The action units drawn here: Ekman and Friesen, Facial Action Coding System (1978; 2002 edition). */
export const actionUnits = {
  innerBrowRaiser: 1,
  outerBrowRaiser: 2,
  browLowerer: 4,
  upperLidRaiser: 5,
  cheekRaiser: 6,
  lidTightener: 7,
  noseWrinkler: 9,
  upperLipRaiser: 10,
  lipCornerPuller: 12,
  lipCornerDepressor: 15,
  lowerLipDepressor: 16,
  chinRaiser: 17,
  lipStretcher: 20,
  lipTightener: 23,
  lipsPart: 25,
  jawDrop: 26,
  lidDroop: 43, // coded as eyes closed; its low intensities are a drooping lid
} as const
export type ActionUnit = keyof typeof actionUnits

/** How strongly each action unit acts, 0 to about 1.2. */
export type Activation = Readonly<Record<ActionUnit, number>>

// The prototypes of EMFACS (Friesen and Ekman, 1983): surprise 1+2+5+26, fear 1+2+4+5+20+26, disgust
// 9+15+16, happiness 6+12, sadness 1+4+15, anger 4+5+7+23. Units that the coding manual names as
// companions (10, 17, 25, and the drooping lid of sadness) are added at lower strength.
const prototypes: Readonly<Record<DrawnExpression, Partial<Activation>>> = {
  surprise: { innerBrowRaiser: 1, outerBrowRaiser: 1, upperLidRaiser: 0.9, lipsPart: 1, jawDrop: 1 },
  fear: {
    innerBrowRaiser: 1,
    outerBrowRaiser: 0.35,
    browLowerer: 0.6,
    upperLidRaiser: 1,
    lipStretcher: 1,
    lipsPart: 0.8,
    jawDrop: 0.5,
  },
  disgust: {
    browLowerer: 0.4,
    noseWrinkler: 1,
    upperLipRaiser: 0.8,
    lipCornerDepressor: 0.8,
    lowerLipDepressor: 0.6,
    lipsPart: 0.4,
  },
  happiness: { cheekRaiser: 1, lipCornerPuller: 1 },
  sadness: { innerBrowRaiser: 1, browLowerer: 0.5, lipCornerDepressor: 1, chinRaiser: 0.7, lidDroop: 0.6 },
  anger: { browLowerer: 1, upperLidRaiser: 0.45, lidTightener: 0.9, chinRaiser: 0.4, lipTightener: 1 },
  neutral: {},
}

export function activationOf(expression: DrawnExpression, random: Random): Activation {
  const intensity = random.uniform('intensity', 0.55, 1)
  const prototype = { ...prototypes[expression], ...variantOf(expression, random) }
  const strength = (unit: ActionUnit) =>
    (prototype[unit] ?? 0) * intensity * random.uniform(`strength of ${unit}`, 0.88, 1.12) +
    rest(unit, random)
  return Object.fromEntries(
    (Object.keys(actionUnits) as ActionUnit[]).map((unit) => [unit, strength(unit)]),
  ) as Activation
}

/** A smile and an angry mouth may part the lips or keep them closed. */
function variantOf(expression: DrawnExpression, random: Random): Partial<Activation> {
  const parted = random.chance('parted lips', 0.6)
  if (expression === 'happiness') return { lipsPart: parted ? random.uniform('grin', 0.6, 1) : 0 }
  if (expression === 'anger') return { lipsPart: parted ? 0 : random.uniform('bared teeth', 0.5, 0.8) }
  return {}
}

/** No living face is perfectly at rest. */
function rest(unit: ActionUnit, random: Random): number {
  const ceilings: Partial<Activation> = {
    innerBrowRaiser: 0.08,
    outerBrowRaiser: 0.15,
    browLowerer: 0.08,
    lipCornerPuller: 0.12,
    lipCornerDepressor: 0.1,
    lidDroop: 0.12,
  }
  return random.uniform(`rest of ${unit}`, 0, ceilings[unit] ?? 0)
}
