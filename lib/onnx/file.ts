import { create, type DescField, type DescMessage, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { FerError } from '../errors.js'
import { version } from '../version.js'
import { float, type OnnxGraph, type Weight } from './graph.js'
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from './onnx_pb.js'

/** The oldest set of operators promised; all that the graph uses are in it. */
const opset = 17n
/** Of the file format, that which came with it. */
const irVersion = 8n
/** What readers of protobuf take. */
const largestFile = 2 ** 31 - 1

/**
 * The bytes of the file, in pieces of which the large ones are the weights where they lie: `toBinary` of the whole
 * would copy them once for each message they are nested in. A message is its fields one after another, in any order.
 */
export function onnxFile(
  { graph, weights }: OnnxGraph,
  metadata: Readonly<Record<string, string>>,
): Uint8Array[] {
  const { initializer } = GraphProtoSchema.field
  const tensors = weights.flatMap((weight) => field(initializer, tensor(weight)))
  const pieces = [
    message(ModelProtoSchema, {
      irVersion,
      producerName: 'fer-torch',
      producerVersion: version,
      opsetImport: [{ version: opset }],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    }),
    ...field(ModelProtoSchema.field.graph, [message(GraphProtoSchema, graph), ...tensors]),
  ]
  return checkSize(pieces)
}

const tensor = ({ name, shape, data }: Weight): Uint8Array[] => [
  message(TensorProtoSchema, { name, dims: shape.map(BigInt), dataType: float }),
  ...field(TensorProtoSchema.field.rawData, [new Uint8Array(data.buffer, data.byteOffset, data.byteLength)]),
]

const message = <D extends DescMessage>(schema: D, init: MessageInitShape<D>): Uint8Array =>
  toBinary(schema, create(schema, init))

/** A field that holds bytes or a message: its number, its length, its content. */
const field = ({ number }: DescField, content: readonly Uint8Array[]): Uint8Array[] => [
  new BinaryWriter().tag(number, WireType.LengthDelimited).uint32(lengthOf(content)).finish(),
  ...content,
]

const lengthOf = (pieces: readonly Uint8Array[]): number =>
  pieces.reduce((sum, piece) => sum + piece.length, 0)

function checkSize(pieces: Uint8Array[]): Uint8Array[] {
  const length = lengthOf(pieces)
  if (length <= largestFile) return pieces
  throw new FerError(
    'ERR_OUTPUT',
    `An ONNX file of ${length} bytes could not be read: ${largestFile} are the most. Use a smaller image size or fewer classes`,
  )
}
