import sharp from 'sharp'
import type { Picture, SplitName } from '../dataset.js'
import { splitNames } from '../dataset.js'
import { drawFace } from './draw.js'
import { activationOf, type DrawnExpression, drawnExpressions } from './expression.js'
import { featuresOf } from './features.js'
import { identityOf } from './identity.js'
import { applyLight } from './light.js'
import { keyOf, randomOf } from './random.js'
import { sceneOf } from './scene.js'

export const faceSide = 96 // pixels

// Shares no factor with the seven labels, so that in time every identity slot meets every expression.
const facesPerIdentity = 4

/** Everything that says which face is drawn. */
export interface FaceRequest {
  readonly seed: number
  readonly split: SplitName
  readonly index: number
}

export function labelOf(index: number): number {
  return index % drawnExpressions.length
}

/** Splits take turns in the numbers, so that no identity is in two of them. */
export function identityNumberOf({ split, index }: Omit<FaceRequest, 'seed'>): number {
  return Math.floor(index / facesPerIdentity) * splitNames.length + splitNames.indexOf(split)
}

export async function renderFace(request: FaceRequest): Promise<Picture> {
  return renderExpression(request, drawnExpressions[labelOf(request.index)]!)
}

/** The person and scene of `request` with an expression of choice. */
export async function renderExpression(request: FaceRequest, expression: DrawnExpression): Promise<Picture> {
  const { svg, light, key } = describe(request, expression, faceSide)
  const { data, info } = await sharp(Buffer.from(svg))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const pixels = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  applyLight(pixels, faceSide, light, key)
  return { data: pixels, width: info.width, height: info.height, channels: 3 }
}

function describe({ seed, split, index }: FaceRequest, expression: DrawnExpression, side: number) {
  const key = keyOf(seed, 'face', split, index)
  const random = randomOf(key)
  const identity = identityOf(seed, identityNumberOf({ split, index }))
  const scene = sceneOf(random)
  const features = featuresOf(activationOf(expression, random))
  return { svg: drawFace({ identity, features, pose: scene.pose }, scene, side), light: scene.light, key }
}
