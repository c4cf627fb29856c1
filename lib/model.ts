import { cancellable, settled, toFerError } from './calls.js'
import type { Dataset, Split } from './datasets/dataset.js'
import { canonicalExpression } from './datasets/expressions.js'
import { labelsFor } from './datasets/labels.js'
import { FerError } from './errors.js'
import { type BoxedImage, type Image, type Input, pendingImages, readAll } from './images/inputs.js'
import { type Calibration, calibration } from './metrics/temperature.js'
import { assumeInfo } from './model/assumed.js'
import { bundledModel } from './model/bundled.js'
import type { Explanation } from './model/explanation.js'
import { inferenceFor } from './model/inference.js'
import { badModel, classNames, type ModelInfo, ownAffinity, readInfo } from './model/info.js'
import { type Measuring, measureFaces } from './model/measuring.js'
import { saveNetwork } from './model/save.js'
import { openWeights } from './model/weights.js'
import { type Network, native, type OverFaces } from './native.js'
import { type Check, fail, oneOf, optional, readOptions, text } from './options/check.js'
import { type ExplainOptions, explainShape } from './options/explain.js'
import { type ExportOptions, exportShape } from './options/export.js'
import { dataset, type FacesOptions, facesShape } from './options/faces.js'
import { type InferenceOptions, inferenceShape } from './options/inference.js'
import { type QuantizeOptions, quantizeShape } from './options/quantize.js'

/** `split` is `train` by default. */
export interface CalibrateOptions extends Omit<InferenceOptions, 'affinity' | 'flip'>, FacesOptions {}

/** `split` is `validation` by default. */
export interface FitTemperatureOptions extends InferenceOptions, FacesOptions {}

/** A trained network that answers with one class of expression a face. Its memory is freed by `dispose`. */
export class Model implements AsyncDisposable {
  #info: ModelInfo
  readonly #network: Network

  /** Not for users: models come from `Model.load` and `train`. */
  constructor(info: ModelInfo, network: Network) {
    this.#info = frozen(info)
    this.#network = network
  }

  get info(): ModelInfo {
    return this.#info
  }

  /** Whether affinity `ema` can be used: ARM's running generic part is there, or none is needed. */
  get calibrated(): boolean {
    return lent(() => this.#network.calibrated())
  }

  /**
   * Reads a safetensors file that `save` or `train` wrote, by default the model that ships with the package, or a PyTorch
   * checkpoint (`.pth`) of the official ARM code or of a torchvision ResNet-18 or -34 with 7 or 8 classes. Such a file
   * says nothing of input and classes: see `info.provenance.assumed` for what is taken for granted; ARM's running generic
   * part it lacks, which `calibrate` computes. `classes` names the checkpoint's classes where they are not RAF-DB's in its
   * order. ERR_MODEL_NOT_FOUND, ERR_BAD_MODEL.
   */
  static async load(
    path: string = bundledModel,
    options: { classes?: readonly string[] } = {},
  ): Promise<Model> {
    text(path, 'path')
    const { classes } = readOptions(options, { classes: optional(expressionNames, undefined) })
    const weights = await openWeights(path)
    try {
      const { metadata, tensors, source } = weights
      if (metadata && classes) fail('classes', 'left out: the file names its classes', 'a list')
      const info = metadata ? readInfo(path, metadata) : assumeInfo(tensors, path, classes)
      return new Model(info, await settled(native.createNetwork(info, source)))
    } catch (error) {
      throw error instanceof FerError && error.code === 'ERR_INVALID_OPTION' ? error : badModel(path, error)
    } finally {
      await weights.close()
    }
  }

  /** Writes one safetensors file, whole or not at all. `dtype: 'bfloat16'` halves it, keeping 8 bits of each weight. */
  async save(path: string, options: { dtype?: 'float32' | 'bfloat16' } = {}): Promise<void> {
    text(path, 'path')
    const { dtype } = readOptions(options, { dtype: optional(oneOf(['float32', 'bfloat16']), 'float32') })
    await saveNetwork(this.#network, this.info, path, dtype)
  }

  /**
   * Writes an ONNX file of opset 17, whole or not at all: `images` (N, 3, S, S) -> `logits` (N, K), any N. The norms,
   * all that follows the backbone and the temperature are folded, so that the logits are those of `predict`; classes and
   * how a picture becomes input are in its metadata. ERR_OUTPUT.
   */
  async export(path: string, options: ExportOptions = {}): Promise<void> {
    text(path, 'path')
    const { affinity = ownAffinity(this.info) } = readOptions(options, exportShape)
    const network = Model.borrow(this)
    try {
      // Only now: the protobuf library takes 40 ms to load, which only those who export shall wait for.
      const { exportNetwork } = await import('./model/export.js')
      await exportNetwork(network, this.info, path, affinity)
    } finally {
      network.dispose()
    }
  }

  /**
   * What the classifier reads: (N, F) row-major; with head `arm` F is s^2, its affinity included, with `gap` 512. The
   * array is the memory LibTorch computed it in, not a copy.
   */
  async features(input: Input, options: InferenceOptions = {}): Promise<Float32Array> {
    const settings = readOptions(options, inferenceShape)
    const network = Model.borrow(this)
    try {
      const inputs = await readAll(pendingImages(input), settings.signal)
      const features = await cancellable(settings.signal, (cancellation) =>
        network.infer(inputs, inferenceFor(this.info, settings), 'features', cancellation),
      )
      return features.data
    } finally {
      network.dispose()
    }
  }

  /** Where in one face the answer comes from, as maps and, by its `overlay`, as a PNG. ERR_BAD_IMAGE, ERR_BAD_BOX. */
  async explain(image: Image | BoxedImage, options: ExplainOptions = {}): Promise<Explanation> {
    const { box, signal, ...settings } = readOptions(options, explainShape)
    const [pending, ...more] = pendingImages(image, box)
    if (!pending || more.length > 0) fail('image', 'one picture', image)
    const network = Model.borrow(this)
    try {
      const inference = inferenceFor(this.info, {
        ...settings,
        signal,
        // Of one face, with gradients.
        device: 'cpu',
        batchSize: 1,
        flip: false,
      })
      const input = await pending.read()
      const native = await cancellable(signal, (cancellation) =>
        network.explain(input, inference, cancellation),
      )
      const { toExplanation } = await import('./model/explanation.js')
      return toExplanation(native, input, this.info)
    } finally {
      network.dispose()
    }
  }

  /**
   * Computes ARM's running generic part over training faces, with the model as it is used: what a checkpoint of the
   * official code lacks. Replaces an earlier one; do not predict with the model meanwhile. ERR_INVALID_OPTION where the
   * model shares no generic part.
   */
  async calibrate(data: Dataset, options: CalibrateOptions = {}): Promise<void> {
    dataset(data, 'data')
    const { affinity: _, flip: __, ...shape } = inferenceShape
    const settings = readOptions(options, { ...shape, ...facesShape('train') })
    const { head, affinity } = this.info
    if (affinity === 'none') fail('model', 'one that shares a generic part', `head ${head}, affinity none`)
    const inference = inferenceFor(this.info, { ...settings, affinity: 'none', flip: false })
    const calibrated = await this.#measure(data, { ...settings, inference, most: Infinity }, (network) =>
      network.calibrate.bind(network),
    )
    this.#learn({ provenance: { ...this.info.provenance, calibrated: calibrated.measured } })
  }

  /**
   * Fits the temperature that the logits are divided by, `info.temperature`, so that a confidence of 0.8 is right for 8
   * faces of 10 (Guo et al. 2017, arXiv:1706.04599). Labels stay as they are. The faces must be ones that the model was
   * not trained on: of those it is too sure. `train` does so by itself. ERR_CLASS_MISMATCH.
   */
  async fitTemperature(data: Dataset, options: FitTemperatureOptions = {}): Promise<void> {
    dataset(data, 'data')
    const settings = readOptions(options, { ...inferenceShape, ...facesShape('validation') })
    const inference = inferenceFor(this.info, settings)
    const { result, measured } = await this.#measure(
      data,
      { ...settings, inference, most: Infinity },
      (network, split) => calibrating(network, labelsFor(this.info.classes, split), this.info.classCount),
    )
    const { temperature, nll, ece } = result
    const provenance = { ...this.info.provenance, temperature: { ...measured, nll, ece } }
    this.#learn({ temperature, provenance })
  }

  /**
   * Measures over faces, best of training, what each value within the network lies between: precision `int8` needs it.
   * The weights stay as they are, so that every other precision answers as before; `save` keeps the ranges.
   */
  async quantize(data: Dataset, options: QuantizeOptions = {}): Promise<void> {
    dataset(data, 'data')
    const settings = readOptions(options, quantizeShape)
    const inference = {
      affinity: ownAffinity(this.info),
      precision: 'float32',
      device: 'cpu',
      batchSize: 1,
      flip: false,
    } as const
    const { result: ranges, measured } = await this.#measure(
      data,
      { ...settings, inference, most: settings.faces },
      (network) => network.measureRanges.bind(network),
    )
    this.#learn({ quantization: { ranges, ...measured } })
  }

  async #measure<T>(
    data: Dataset,
    measuring: Measuring,
    call: (network: Network, split: Split) => OverFaces<T>,
  ) {
    const network = Model.borrow(this)
    try {
      return await measureFaces(this.info, data, measuring, (split) => call(network, split))
    } finally {
      network.dispose()
    }
  }

  #learn(news: Partial<ModelInfo>): void {
    this.#info = frozen({ ...this.info, ...news })
  }

  /** Frees the weights; a call in flight ends normally, a later one fails with ERR_DISPOSED. */
  dispose(): void {
    this.#network.dispose()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.dispose()
  }

  /** Whether it is one, and not an object that only looks like it. */
  static is(value: unknown): value is Model {
    return typeof value === 'object' && value !== null && #info in value
  }

  /** For the package's own verbs: a handle to be disposed of, which outlives the model's own. */
  static borrow(model: Model): Network {
    return lent(() => model.#network.share())
  }
}

/** Answers faces, and fits a temperature to the logits. */
const calibrating =
  (network: Network, labels: Int32Array, classCount: number): OverFaces<Calibration> =>
  async (images, indices, ...rest) => {
    const { data } = await network.evaluate(images, indices, ...rest)
    return calibration(
      data,
      indices.map((index) => labels[index]!),
      classCount,
    )
  }

/** By their canonical names, as data sets have them. */
const expressionNames: Check<readonly string[]> = (value, name) =>
  classNames(
    classNames(value, name).map((given) => canonicalExpression(given) ?? given),
    name,
  )

const frozen = (info: ModelInfo): ModelInfo =>
  Object.freeze({ ...info, classes: Object.freeze([...info.classes]) })

/** What the native call gives, or its error as our own. */
function lent<T>(call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw toFerError(error)
  }
}
