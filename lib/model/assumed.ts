import { basename } from 'node:path'
import type { BackboneName } from '../catalog.js'
import { expressions } from '../datasets/expressions.js'
import type { TensorPlace } from '../native.js'
import { fail } from '../options/check.js'
import { refusal } from '../weights/refusal.js'
import { imageNet, type ModelInfo } from './info.js'

/** Of a residual network's last stages: how many blocks the third has. */
const blocks: Readonly<Record<number, BackboneName>> = { 2: 'resnet18', 6: 'resnet34' }

/** Which backbone weights are of, by their names; undefined where none that this package has. */
export function backboneOf(tensors: readonly TensorPlace[]): BackboneName | undefined {
  const names = new Set(tensors.map(({ name }) => name))
  let count = 0
  while (names.has(`layer3.${count}.conv1.weight`)) count++
  return names.has('layer1.0.conv3.weight') ? undefined : blocks[count]
}

/** The side of a square of `count` features, 2h - 3 of a map of side h, as an input size of the standard stem. */
function imageSizeFor(count: number, path: string): number {
  const side = Math.sqrt(count)
  if (Number.isInteger(side) && side % 2 === 1) return 32 * ((side + 3) / 2)
  throw refusal(path, `its classifier reads ${count} features, which no square map gives`)
}

/**
 * What the weights of a PyTorch checkpoint, which says nothing else, are taken to be: trained by the official ARM code,
 * or a torchvision ResNet fine-tuned on expressions, its classes in RAF-DB's order unless `classes` names them.
 * ERR_BAD_MODEL where they can be neither, ERR_INVALID_OPTION where the number of classes is another.
 */
export function assumeInfo(
  tensors: readonly TensorPlace[],
  path: string,
  classes?: readonly string[],
): ModelInfo {
  const shapeOf = (name: string) => tensors.find((tensor) => tensor.name === name)?.shape
  const backbone = backboneOf(tensors)
  const [classCount, features] = shapeOf('fc.weight') ?? []
  const pretrained = 'Use it as `pretrained` in training'
  if (!backbone)
    throw refusal(path, 'its weights are not those of a ResNet-18 or ResNet-34', 'Choose another file')
  if (classCount === undefined || features === undefined)
    throw refusal(path, 'it has no classifier `fc.weight`', pretrained)
  if (shapeOf('conv1.weight')?.at(-1) !== 7)
    throw refusal(path, 'its first convolution is not 7 x 7, so its stem is unknown', pretrained)
  if (classes && classes.length !== classCount)
    fail('classes', `${classCount} names, one a class of the checkpoint`, `${classes.length} names`)
  if (!classes && classCount !== 7 && classCount !== 8)
    throw refusal(
      path,
      `its ${classCount} classes are not the 7 or 8 expressions`,
      `Name them with \`classes\`, or: ${pretrained}`,
    )
  const isArm = shapeOf('arm.de_albino.weight') !== undefined
  const spec = {
    backbone,
    head: isArm ? 'arm' : 'gap',
    stem: 'standard',
    imageSize: isArm ? imageSizeFor(features, path) : 224,
    color: 'rgb',
    affinity: isArm && shapeOf('arm.alpha') ? 'ema' : 'none',
    normalization: imageNet,
    classCount,
  } as const
  const named = classes ?? expressions.slice(0, classCount)
  const order = classes ? [] : [`classes in this order: ${named.join(', ')}`]
  const input = [`pictures of ${spec.imageSize} x ${spec.imageSize} in colour`, 'ImageNet normalisation']
  const assumed = [...input, ...order].join(', ')
  return { ...spec, classes: named, provenance: { file: basename(path), assumed } }
}
