import type { MessageInitShape } from '@bufbuild/protobuf'
import type { GraphStep, NativeGraph } from '../native.js'
import {
  type AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  type GraphProtoSchema,
  type NodeProtoSchema,
  TensorProto_DataType,
  type ValueInfoProtoSchema,
} from './onnx_pb.js'

export const float = TensorProto_DataType.FLOAT

/** A tensor that nodes read by its name. */
export interface Weight {
  readonly name: string
  readonly shape: readonly number[]
  readonly data: Float32Array
}

export interface OnnxGraph {
  /** All of it but the weights. */
  readonly graph: MessageInitShape<typeof GraphProtoSchema>
  readonly weights: readonly Weight[]
}

type Node = MessageInitShape<typeof NodeProtoSchema>
type Convolution = Extract<GraphStep, { kind: 'convolution' }>

/** The network in ONNX's operators: `images` (N, 3, S, S) -> `logits` (N, K). */
export function onnxGraph({ steps, reading }: NativeGraph, imageSize: number): OnnxGraph {
  const [classCount, ...map] = reading.weight.shape as [number, ...number[]]
  const matrix = [classCount, map.reduce((product, side) => product * side, 1)]
  const nodes = steps.flatMap((step, i) => stepNodes(step, valueName(i + 1)))
  return {
    graph: {
      name: 'fer-torch',
      node: [...nodes, ...readingNodes(valueName(steps.length))],
      input: [batchOf('images', [3, imageSize, imageSize])],
      output: [batchOf('logits', [classCount])],
    },
    weights: [
      ...steps.flatMap((step, i) => stepWeights(step, valueName(i + 1))),
      { name: 'reading.weight', shape: matrix, data: reading.weight.data },
      { name: 'reading.bias', shape: reading.bias.shape, data: reading.bias.data },
    ],
  }
}

const valueName = (id: number): string => (id === 0 ? 'images' : `value${id}`)

const stepNodes = (step: GraphStep, output: string): Node[] =>
  step.kind === 'convolution' ? convolutionNodes(step, output) : [maxPoolNode(step, output)]

function convolutionNodes({ input, weight, addend, relu, ...step }: Convolution, output: string): Node[] {
  const kernel = weight.shape.slice(2)
  const convolved = addend !== undefined || relu ? `${output}.convolution` : output
  const added = addend === undefined ? convolved : relu ? `${output}.sum` : output
  const inputs = [valueName(input), `${output}.weight`, `${output}.bias`]
  const nodes = [node('Conv', inputs, convolved, windowOf({ ...step, kernel }))]
  if (addend !== undefined) nodes.push(node('Add', [convolved, valueName(addend)], added))
  if (relu) nodes.push(node('Relu', [added], output))
  return nodes
}

const maxPoolNode = (step: Extract<GraphStep, { kind: 'maxPool' }>, output: string): Node =>
  node('MaxPool', [valueName(step.input)], output, windowOf({ ...step, kernel: [step.kernel, step.kernel] }))

const windowOf = (window: { kernel: readonly number[]; stride: number; padding: number }) => ({
  kernel_shape: window.kernel,
  strides: [window.stride, window.stride],
  pads: Array<number>(4).fill(window.padding),
})

const readingNodes = (map: string): Node[] => [
  node('Flatten', [map], 'features', { axis: 1 }),
  node('Gemm', ['features', 'reading.weight', 'reading.bias'], 'logits', { transB: 1 }),
]

const stepWeights = (step: GraphStep, name: string): Weight[] =>
  step.kind === 'maxPool'
    ? []
    : [
        { ...step.weight, name: `${name}.weight` },
        { ...step.bias, name: `${name}.bias` },
      ]

const node = (
  opType: string,
  input: string[],
  output: string,
  attributes: Readonly<Record<string, number | readonly number[]>> = {},
): Node => ({
  name: output,
  opType,
  input,
  output: [output],
  attribute: Object.entries(attributes).map(([name, value]) => attribute(name, value)),
})

const attribute = (
  name: string,
  value: number | readonly number[],
): MessageInitShape<typeof AttributeProtoSchema> =>
  typeof value === 'number'
    ? { name, type: AttributeType.INT, i: BigInt(value) }
    : { name, type: AttributeType.INTS, ints: value.map(BigInt) }

/** Of any number of items of this shape. */
function batchOf(name: string, shape: readonly number[]): MessageInitShape<typeof ValueInfoProtoSchema> {
  const sides = shape.map((side) => ({ value: { case: 'dimValue' as const, value: BigInt(side) } }))
  const dim = [{ value: { case: 'dimParam' as const, value: 'batch' } }, ...sides]
  return { name, type: { value: { case: 'tensorType', value: { elemType: float, shape: { dim } } } } }
}
