import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import test from 'ava'
import {
  type ErrorCode,
  FerError,
  type InferenceOptions,
  Model,
  predict,
  type TrainOptions,
} from '../../lib/index.js'
import { resize } from '../../lib/ops.js'
import type { Tensor } from '../../lib/tensor.js'
import { version } from '../../lib/version.js'
import { rewrite } from '../safetensors-file.js'
import { temporaryFolder } from '../temporary.js'
import { faces, outputFolder, smallModel, withTemperature } from '../trained.js'
import { inputFor, logitsOf, metadataOf, parse } from './runtime.js'

let model: Model
let path: string
test.before(async () => {
  model = await smallModel({ imageSize: 32 })
  path = join(dirname(outputFolder()), 'model.onnx')
  await model.export(path)
})

/** Faces of the test split, as (N, S, S, 3). */
async function pictures(count: number, imageSize: number): Promise<Tensor<'uint8'>> {
  const { samples } = await faces.open('test')
  const sized = samples.slice(0, count).map(async (sample) => {
    const { data, height, width, channels } = await sample.read()
    return resize(
      { dtype: 'uint8', shape: [1, height, width, channels], data: Uint8Array.from(data) },
      imageSize,
    )
  })
  const data = Buffer.concat((await Promise.all(sized)).map((tensor) => tensor.data as Uint8Array))
  return { dtype: 'uint8', shape: [count, imageSize, imageSize, 3], data: Uint8Array.from(data) }
}

async function ourLogits(own: Model, input: Tensor<'uint8'>, options: InferenceOptions = {}) {
  const answers = await predict(input, { model: own, logits: true, precision: 'float32', ...options })
  return answers.map(({ logits }) => logits!)
}

const largestDifference = (
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
): number => Math.max(...ours.flatMap((row, i) => row.map((logit, k) => Math.abs(logit - theirs[i]![k]!))))

// Larger steps would leave the deeper network with logits of hundreds, of which float32 does not hold 1e-4.
const networks: readonly Partial<TrainOptions>[] = [
  { head: 'arm', stem: 'small', imageSize: 32 },
  { head: 'arm', stem: 'small', imageSize: 33, affinity: 'none' },
  { head: 'gap', stem: 'medium', imageSize: 64, color: 'grey' },
  { head: 'arm', stem: 'medium', imageSize: 64, backbone: 'resnet34', color: 'grey', learningRate: 1e-4 },
  { head: 'arm', stem: 'standard', imageSize: 112, affinity: 'batch' },
]

for (const options of networks) {
  const { imageSize = 0 } = options
  test(`onnxruntime answers as we do: ${Object.values(options).join(', ')}`, async (t) => {
    const file = join(await temporaryFolder(t), 'model.onnx')
    await using own = await smallModel(options)
    await own.export(file)
    const metadata = metadataOf(await parse(file))
    for (const count of [1, 3]) {
      const input = await pictures(count, imageSize)
      // Of affinity `batch`, which is how it was trained, the file has the running mean, as prediction does.
      const ours = await ourLogits(own, input)
      const theirs = await logitsOf(file, inputFor(metadata, input))
      t.is(theirs.length, count)
      const difference = largestDifference(ours, theirs)
      t.log(`batch of ${count}: they differ by ${difference.toExponential(1)}`)
      t.true(difference < 1e-4)
    }
  })
}

test('affinity none leaves the generic part out, as in prediction', async (t) => {
  const file = join(await temporaryFolder(t), 'none.onnx')
  await model.export(file, { affinity: 'none' })
  const input = await pictures(2, 32)
  const metadata = metadataOf(await parse(file))
  const none = await logitsOf(file, inputFor(metadata, input))
  t.is(metadata.affinity, 'none')
  t.true(largestDifference(await ourLogits(model, input, { affinity: 'none' }), none) < 1e-4)
  t.true(largestDifference(await ourLogits(model, input), none) > 1e-3, 'the running mean is not zero')
})

test('the temperature is in the logits, as in those of prediction, and the file says so', async (t) => {
  const file = join(await temporaryFolder(t), 'model.onnx')
  await using own = withTemperature(model, 2.5)
  await own.export(file)
  const metadata = metadataOf(await parse(file))
  t.is(metadata.temperature, '2.5')
  const input = await pictures(3, 32)
  const theirs = await logitsOf(file, inputFor(metadata, input))
  t.true(largestDifference(await ourLogits(own, input), theirs) < 1e-4)
  const undivided = theirs.map((row) => row.map((logit) => 2.5 * logit))
  t.true(largestDifference(await ourLogits(model, input), undivided) < 2.5e-4)
})

test('the file says what it takes and gives, how pictures become input, and where it comes from', async (t) => {
  const file = await parse(path)
  const { irVersion, opsetImport, producerName, producerVersion, graph } = file
  t.deepEqual(
    [irVersion, opsetImport[0]!.version, producerName, producerVersion],
    [8n, 17n, 'fer-torch', version],
  )
  const shapes = [...graph!.input, ...graph!.output].map(({ name, type }) => {
    const { value } = type!
    return [name, value.case === 'tensorType' && value.value.shape!.dim.map((dim) => dim.value.value)]
  })
  t.deepEqual(shapes, [
    ['images', ['batch', 3n, 32n, 32n]],
    ['logits', ['batch', 7n]],
  ])
  const { input, ...metadata } = metadataOf(file)
  const { classes, normalization, provenance } = model.info
  t.regex(
    input!,
    /^images, float32 \(N, 3, 32, 32\): .* in R, G and B, resized .*\(value \/ 255 - mean\) \/ deviation$/,
  )
  t.deepEqual(metadata, {
    format: 'fer-torch onnx 1',
    classes: JSON.stringify(classes),
    imageSize: '32',
    color: 'rgb',
    normalization: JSON.stringify(normalization),
    affinity: 'ema',
    temperature: '1',
    provenance: JSON.stringify(provenance),
  })
})

test('norms and head are folded: only convolutions, sums, pools and one matrix are left', async (t) => {
  const { graph } = await parse(path)
  const counts: Record<string, number> = {}
  for (const { opType } of graph!.node) counts[opType] = (counts[opType] ?? 0) + 1
  // ResNet-18: 17 convolutions and 3 in shortcuts; a sum in each of 8 blocks; an activation after all but the shortcuts.
  t.deepEqual(counts, { Conv: 20, Relu: 17, Add: 8, Flatten: 1, Gemm: 1 })
})

test('the same model gives the same bytes', async (t) => {
  const file = join(await temporaryFolder(t), 'again.onnx')
  await model.export(file)
  t.true((await readFile(file)).equals(await readFile(path)))
})

test('affinity batch, an unknown option and no path are refused', async (t) => {
  const refused = async (given: [string, object?], code: ErrorCode, words: RegExp) => {
    const error = await t.throwsAsync(() => model.export(...given), { instanceOf: FerError })
    t.is(error!.code, code)
    t.regex(error!.message, words)
  }
  await refused(
    [path, { affinity: 'batch' }],
    'ERR_INVALID_OPTION',
    /`affinity` to be ema or none: with `batch` an answer is no function of one face/,
  )
  await refused([path, { afinity: 'ema' }], 'ERR_UNKNOWN_OPTION', /did you mean `affinity`/)
  await refused([''], 'ERR_INVALID_OPTION', /`path` to be a non-empty string/)
})

test('a model without a running generic part is exported only with affinity none', async (t) => {
  const folder = await temporaryFolder(t)
  await model.save(join(folder, 'model.safetensors'))
  const official = join(folder, 'official.safetensors')
  await rewrite(join(folder, 'model.safetensors'), official, (name) =>
    name === 'arm.generic' ? undefined : name,
  )
  await using own = await Model.load(official)
  await t.throwsAsync(() => own.export(join(folder, 'x.onnx')), { code: 'ERR_UNCALIBRATED' })
  await t.notThrowsAsync(() => own.export(join(folder, 'x.onnx'), { affinity: 'none' }))
})

test('a file that cannot be written is named, and leaves no temporary behind', async (t) => {
  const folder = await temporaryFolder(t)
  for (const target of [join(folder, 'missing', 'x.onnx'), folder]) {
    const error = await t.throwsAsync(() => model.export(target), { instanceOf: FerError })
    t.is(error!.code, 'ERR_OUTPUT')
    t.true(error!.message.startsWith(`Cannot write \`${target}\`: `))
    t.regex(error!.message, /\. Choose a folder that can be written$/)
  }
  t.deepEqual(await readdir(folder), [])
  t.false(existsSync(`${folder}.tmp`))
})

test('a disposed model is refused; an export in flight ends normally', async (t) => {
  const folder = await temporaryFolder(t)
  const own = await smallModel({ imageSize: 32 })
  const inFlight = own.export(join(folder, 'first.onnx'))
  own.dispose()
  await inFlight
  await t.throwsAsync(() => own.export(join(folder, 'second.onnx')), { code: 'ERR_DISPOSED' })
  t.deepEqual(await readdir(folder), ['first.onnx'])
})
