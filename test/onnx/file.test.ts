import { create, equals, fromBinary, toBinary } from '@bufbuild/protobuf'
import test from 'ava'
import { FerError } from '../../lib/index.js'
import { onnxFile } from '../../lib/onnx/file.js'
import { onnxGraph } from '../../lib/onnx/graph.js'
import { GraphProtoSchema, ModelProtoSchema, TensorProtoSchema } from '../../lib/onnx/onnx_pb.js'
import type { Tensor } from '../../lib/tensor.js'
import { version } from '../../lib/version.js'

/** 0, 1, 2, ... in a larger memory, from its fifth byte. */
function tensor(...shape: number[]): Tensor<'float32'> {
  const length = shape.reduce((product, side) => product * side, 1)
  const data = new Float32Array(new ArrayBuffer(4 * length + 12), 4, length)
  data.forEach((_, i) => {
    data[i] = i
  })
  return { dtype: 'float32', shape, data }
}

const convolution = { kind: 'convolution', stride: 1, padding: 1 } as const
const weights = { weight: tensor(3, 3, 3, 3), bias: tensor(3) }
const network = {
  steps: [
    { ...convolution, ...weights, input: 0, relu: true },
    { kind: 'maxPool', input: 1, kernel: 3, stride: 2, padding: 1 },
    { ...convolution, ...weights, input: 2, relu: false },
    { ...convolution, ...weights, input: 3, relu: false, addend: 2 },
    { ...convolution, ...weights, input: 4, relu: true, addend: 3 },
  ],
  reading: { weight: tensor(2, 3, 4, 4), bias: tensor(2) },
} as const
const whole = onnxGraph(network, 8)

test('every step reads and makes the values it should, and its weights', (t) => {
  const nodes = whole.graph.node!.map(({ opType, input, output }) => `${opType} ${input} > ${output}`)
  t.deepEqual(nodes, [
    'Conv images,value1.weight,value1.bias > value1.convolution',
    'Relu value1.convolution > value1',
    'MaxPool value1 > value2',
    'Conv value2,value3.weight,value3.bias > value3',
    'Conv value3,value4.weight,value4.bias > value4.convolution',
    'Add value4.convolution,value2 > value4',
    'Conv value4,value5.weight,value5.bias > value5.convolution',
    'Add value5.convolution,value3 > value5.sum',
    'Relu value5.sum > value5',
    'Flatten value5 > features',
    'Gemm features,reading.weight,reading.bias > logits',
  ])
  const given = new Set(whole.weights.map(({ name }) => name))
  const read = whole.graph.node!.flatMap(({ input }) => input!.filter((name) => /weight|bias/.test(name)))
  t.deepEqual([...given], read)
})

test('the pieces are the message that the library makes as a whole', (t) => {
  const graph = create(GraphProtoSchema, whole.graph)
  graph.initializer = whole.weights.map(({ name, shape, data }) =>
    create(TensorProtoSchema, {
      name,
      dims: shape.map(BigInt),
      dataType: 1,
      rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    }),
  )
  const reference = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'fer-torch',
    producerVersion: version,
    opsetImport: [{ version: 17n }],
    metadataProps: [{ key: 'color', value: 'grey' }],
    graph,
  })
  const pieces = Buffer.concat(onnxFile(whole, { color: 'grey' }))
  t.is(pieces.length, toBinary(ModelProtoSchema, reference).length)
  t.true(equals(ModelProtoSchema, fromBinary(ModelProtoSchema, pieces), reference))
})

test('weights are not copied', (t) => {
  const pieces = onnxFile(whole, {})
  for (const { data } of whole.weights) t.true(pieces.some((piece) => piece.buffer === data.buffer))
})

test('a file larger than readers of protobuf take is refused', (t) => {
  const data = new Float32Array(2 ** 24)
  const many = Array.from({ length: 32 }, (_, i) => ({ name: `${i}`, shape: [data.length], data }))
  const error = t.throws(() => onnxFile({ graph: {}, weights: many }, {}), { instanceOf: FerError })
  t.is(error!.code, 'ERR_OUTPUT')
  t.regex(error!.message, /21474\d+ bytes could not be read: 2147483647 are the most/)
})
