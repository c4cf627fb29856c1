import type { Activation } from './expression.js'

/** Where the movable parts of a face are. Lengths are hundredths of the picture's side, down is positive. */
export interface Features {
  readonly brow: { innerLift: number; outerLift: number; arch: number; gather: number; furrow: number }
  readonly eye: { upper: number; lower: number; slant: number; cheek: number }
  readonly nose: { wrinkle: number; flare: number }
  readonly mouth: Mouth
  readonly jawDrop: number
  readonly chinDimple: number
  readonly foreheadLines: number
  readonly smileLines: number
}

export interface Mouth {
  readonly halfWidth: number
  readonly corner: number
  readonly upper: number
  readonly lower: number
  /** 0.5 pointed at the corners, 1 and above boxy or round. */
  readonly roundness: number
  readonly upperTeeth: number
  readonly lowerTeeth: number
  readonly tightness: number
}

export function featuresOf(units: Activation): Features {
  return {
    brow: browOf(units),
    eye: eyeOf(units),
    nose: { wrinkle: units.noseWrinkler, flare: 1 + 0.3 * units.noseWrinkler + 0.12 * units.lipCornerPuller },
    mouth: mouthOf(units),
    jawDrop: 4 * units.jawDrop,
    chinDimple: units.chinRaiser,
    foreheadLines: units.innerBrowRaiser * (0.5 + 0.5 * units.outerBrowRaiser),
    smileLines: Math.max(units.lipCornerPuller, 0.9 * units.noseWrinkler, 0.6 * units.lipStretcher),
  }
}

function browOf(units: Activation): Features['brow'] {
  const { innerBrowRaiser, outerBrowRaiser, browLowerer, noseWrinkler } = units
  // Raiser and lowerer together pull the inner ends up and inwards: the oblique brow of fear and sadness.
  const lowered = browLowerer * Math.max(0, 1 - 0.8 * innerBrowRaiser)
  return {
    innerLift: 6 * innerBrowRaiser - 5.5 * lowered - 1.5 * noseWrinkler,
    outerLift:
      5 * outerBrowRaiser - 0.6 * browLowerer - 2.4 * innerBrowRaiser * Math.max(0, 1 - outerBrowRaiser),
    arch: 1.6 + 2.2 * outerBrowRaiser * innerBrowRaiser - 1.6 * browLowerer,
    gather: 2.2 * browLowerer + noseWrinkler,
    furrow: Math.max(lowered, 0.4 * browLowerer),
  }
}

function eyeOf(units: Activation): Features['eye'] {
  const { upperLidRaiser, lidDroop, noseWrinkler, lidTightener, cheekRaiser, browLowerer } = units
  const { innerBrowRaiser, outerBrowRaiser } = units
  return {
    upper:
      4.5 *
      (1 +
        0.42 * upperLidRaiser -
        0.55 * lidDroop -
        0.45 * noseWrinkler -
        0.2 * lidTightener -
        0.1 * cheekRaiser),
    lower: 3.3 * (1 + 0.25 * upperLidRaiser - 0.95 * cheekRaiser - 0.5 * lidTightener - 0.75 * noseWrinkler),
    slant:
      1.9 * browLowerer * Math.max(0, 1 - innerBrowRaiser) -
      1.5 * innerBrowRaiser * Math.max(0, 1 - outerBrowRaiser) * Math.max(0, 1 - upperLidRaiser),
    cheek: Math.max(cheekRaiser, 0.8 * noseWrinkler),
  }
}

function mouthOf(units: Activation): Mouth {
  const { lipCornerPuller, lipCornerDepressor, lipStretcher, lipTightener, upperLipRaiser } = units
  const { lowerLipDepressor, lipsPart, jawDrop } = units
  const round = jawDrop * Math.max(0, 1 - lipStretcher)
  return {
    halfWidth: 10 * (1 + 0.34 * lipCornerPuller + 0.4 * lipStretcher - 0.12 * lipTightener - 0.42 * round),
    corner:
      -4.2 * lipCornerPuller + 4 * lipCornerDepressor + 1.6 * lipStretcher + 0.8 * lipTightener + 2.6 * round,
    upper:
      0.8 * lipCornerPuller -
      1.8 * lipCornerDepressor -
      3.4 * upperLipRaiser -
      1.5 * jawDrop -
      lipsPart * (0.5 + 1.2 * lipTightener),
    lower:
      0.8 * lipCornerPuller -
      1.8 * lipCornerDepressor * Math.max(0, 1 - lowerLipDepressor) +
      8.8 * jawDrop * Math.max(0.4, 1 - 0.5 * lipStretcher) +
      lipsPart * Math.max(0, 1 - jawDrop) * (1.6 + 3.2 * lipCornerPuller) +
      1.4 * lowerLipDepressor,
    roundness: 0.5 + 0.5 * round + 0.35 * lipStretcher + 0.35 * upperLipRaiser + 0.35 * lipTightener,
    upperTeeth:
      0.5 * lipCornerPuller + 0.42 * lipStretcher + 0.65 * upperLipRaiser + 0.5 * lipTightener + 0.15 * round,
    lowerTeeth: 0.3 * lipStretcher + 0.5 * lipTightener,
    tightness: lipTightener,
  }
}
