import { fileURLToPath } from 'node:url'
import type {
  AffinityName,
  BackboneName,
  Color,
  HeadName,
  OptimizerName,
  PrecisionName,
  SamplerName,
  ScheduleName,
  StemName,
} from './catalog.js'
import { loadAddon } from './loading/addon.js'
import type { DType, Tensor } from './tensor.js'

/** What a network is made of and expects; every field is needed. */
export interface NetworkSpec {
  readonly backbone: BackboneName
  readonly head: HeadName
  readonly stem: StemName
  readonly imageSize: number
  readonly classCount: number
  readonly color: Color
  readonly affinity: AffinityName
  readonly normalization: Normalization
}

/** Per channel, in units of pixel value / 255. */
export interface Normalization {
  readonly mean: readonly [number, number, number]
  readonly deviation: readonly [number, number, number]
}

export interface NativeInference {
  readonly affinity: AffinityName
  readonly precision: PrecisionName
  /** `cpu` or `cuda:N`. */
  readonly device: string
  readonly batchSize: number
  /** Answers the mean of each picture and its mirror image. */
  readonly flip: boolean
  /** For precision int8: [low, high] of each value of the graph. */
  readonly ranges?: readonly (readonly [number, number])[]
}

export interface NativeAugmentation {
  readonly flip: number
  readonly shift: number
  readonly scale: number
  readonly rotation: number
  readonly brightness: number
  readonly contrast: number
  readonly noise: number
  readonly noiseDeviation: number
  readonly flipOrNoise: number
  readonly erase: number
  readonly eraseSmallest: number
  readonly eraseLargest: number
  readonly coarsen: number
  readonly coarsenSmallest: number
}

export interface NativeTraining {
  readonly epochs: number
  readonly batchSize: number
  readonly seed: number
  readonly optimizer: OptimizerName
  readonly learningRate: number
  readonly weightDecay: number
  readonly momentum: number
  readonly beta1: number
  readonly beta2: number
  readonly schedule: ScheduleName
  readonly decay: number
  readonly warmupEpochs: number
  readonly averaging: number
  readonly sampler: SamplerName
  readonly classLimit: number
  readonly mixup: number
  readonly cutmix: number
  readonly labelSmoothing: number
  readonly focalGamma: number
  readonly classWeights?: Tensor<'float32'> // (K)
  readonly sharpness: number
  readonly dropout: number
  readonly stochasticDepth: number
  /** Parts of the network, from the stem on, that stay as they are. */
  readonly freeze: number
  readonly layerDecay: number
  readonly clipNorm: number
  readonly accumulate: number
  readonly precision: PrecisionName
  readonly device: string
  readonly augmentation: NativeAugmentation
}

/** Where a tensor lies in a file: `offset` in bytes from its beginning, `strides` in items; row-major without. */
export interface TensorPlace {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  readonly strides?: readonly number[]
  readonly offset: number
}

/** Tensors of a file that is open, and stays open until the call that reads it settles. */
export interface OpenTensors {
  readonly descriptor: number
  /** What errors call it. */
  readonly path: string
  readonly tensors: readonly TensorPlace[]
}

/** A tensor to be written. */
export interface TensorEntry {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
}

export interface Box {
  readonly left: number
  readonly top: number
  readonly width: number
  readonly height: number
}

/** One picture (height, width, channels) and the part of it to read. */
export interface NativeInput extends Tensor<'uint8'> {
  readonly box?: Box
}

export interface StepReport {
  readonly step: number
  readonly loss: number
  readonly learningRate: number
}

export interface Cancellation {
  request(): void
}

/** Opaque: pixels and labels that native code reads. */
export type ImageSet = object

/** Some pictures of a set, to train on. */
export interface NativeShare {
  readonly images: ImageSet
  readonly indices: readonly number[]
  /** How often an epoch shows each. */
  readonly weight: number
}

/** A call that goes through pictures `indices` of a set. */
export type OverFaces<T> = (
  images: ImageSet,
  indices: readonly number[],
  options: NativeInference,
  cancellation: Cancellation,
  onProgress: (done: number) => void,
) => Promise<T>

export interface Network {
  state(): TensorEntry[]
  calibrated(): boolean
  save(path: string, prefix: Uint8Array, dtype: 'float32' | 'bfloat16'): Promise<void>
  infer(
    inputs: readonly NativeInput[],
    options: NativeInference,
    output: 'logits' | 'features',
    cancellation: Cancellation,
  ): Promise<Tensor<'float32'>>
  readonly evaluate: OverFaces<Tensor<'float32'>>
  explain(
    input: NativeInput,
    options: NativeInference,
    cancellation: Cancellation,
  ): Promise<NativeExplanation>
  /** Takes over the tensors of a file and leaves the others as they are. */
  adopt(file: OpenTensors): Promise<void>
  /** Sets the running generic part to the mean unique part of these pictures. */
  readonly calibrate: OverFaces<void>
  /** The range of each value of the graph over these pictures. */
  readonly measureRanges: OverFaces<[number, number][]>
  /** The network at inference, as data. ERR_UNCALIBRATED. */
  graph(affinity: 'ema' | 'none'): Promise<NativeGraph>
  /** Another handle of the same weights, which disposing of this one leaves alone. */
  share(): Network
  dispose(): void
}

/** Where in a picture an answer comes from; the map's sides are h and w. */
export interface NativeExplanation {
  readonly logits: Tensor<'float32'> // (K)
  readonly gradCam: Tensor<'float32'> // (K, h, w), not negative
  /** What each place adds to a logit: with the bias they add up to it. */
  readonly evidence: Tensor<'float32'> // (K, h, w)
  readonly bias: Tensor<'float32'> // (K)
  /** How much de-albino counts each place, 1 in the mean; absent without ARM. */
  readonly reach?: Tensor<'float32'> // (h, w)
}

/** Norms are folded. Value 0 is the normalised picture; step i makes value i + 1. */
export interface NativeGraph {
  readonly steps: readonly GraphStep[]
  /** Everything from the map (N, C, h, w), the last value, to the logits: weight (K, C, h, w) . map + bias (K). */
  readonly reading: { readonly weight: Tensor<'float32'>; readonly bias: Tensor<'float32'> }
}

export type GraphStep =
  | {
      readonly kind: 'convolution'
      readonly input: number
      readonly weight: Tensor<'float32'> // (O, I, k, k)
      readonly bias: Tensor<'float32'> // (O)
      readonly stride: number
      readonly padding: number
      /** A value that is added before the activation. */
      readonly addend?: number
      readonly relu: boolean
    }
  | {
      readonly kind: 'maxPool'
      readonly input: number
      readonly kernel: number
      readonly stride: number
      readonly padding: number
    }

export interface Trainer {
  /** The one asked for, or the number of pictures where there are fewer. */
  readonly batchSize: number
  readonly stepsPerEpoch: number
  /** Until so many steps are done, or one at least and the time is over. Resolves with the number of steps done. */
  run(
    untilStep: number,
    milliseconds: number,
    cancellation: Cancellation,
    onStep: (step: StepReport) => void,
  ): Promise<number>
  /** Weights and optimizer, in the order in which `save` writes them. */
  state(): TensorEntry[]
  save(path: string, prefix: Uint8Array): Promise<void>
  restore(file: OpenTensors, stepsDone: number): Promise<void>
  /** Gives another network of the same kind the average of the weights, ready to be evaluated. */
  averageInto(network: Network, cancellation: Cancellation): Promise<void>
  /** Any network, on the trainer's thread. */
  evaluate(
    network: Network,
    images: ImageSet,
    indices: readonly number[],
    options: NativeInference,
    cancellation: Cancellation,
  ): Promise<Tensor<'float32'>>
  dispose(): void
}

export interface NativeArmWeights {
  readonly kernel: Tensor
  readonly normWeight: Tensor
  readonly normBias: Tensor
  readonly normMean: Tensor
  readonly normVariance: Tensor
  readonly alpha?: Tensor
  readonly generic?: Tensor
}

export interface NativeBackbone {
  forward(images: Tensor<'float32'>, precision: PrecisionName): Promise<Tensor>
}

export interface Description {
  readonly libTorch: string
  readonly instructions: string
  readonly threads: number
  readonly autoPrecision: 'float32' | 'bfloat16'
  readonly processor: Readonly<Record<string, boolean | string>>
  /** Whether the addon is built for NVIDIA GPUs. */
  readonly cuda: boolean
  /** Those that can be used; memory in bytes. */
  readonly gpus: readonly { readonly name: string; readonly capability: string; readonly memory: number }[]
}

export interface ChosenDevice {
  readonly device: string
  readonly autoPrecision: 'float32' | 'bfloat16'
}

interface Native {
  describe(): Description
  /** Throws ERR_DEVICE where it cannot be used. */
  chooseDevice(name: string): ChosenDevice
  catalog(): Record<
    'backbones' | 'heads' | 'stems' | 'affinities' | 'optimizers' | 'samplers' | 'schedules',
    readonly string[]
  >
  Cancellation: new () => Cancellation
  ImageSet: new (
    source: Tensor<'uint8'> | { path: string; offset: number; shape: readonly number[] },
    labels: Int32Array,
    /** (N, K), distributions over the classes, where the labels do not say it all. */
    targets?: Tensor<'float32'>,
  ) => ImageSet
  createNetwork(spec: NetworkSpec, source: number | OpenTensors): Promise<Network>
  Trainer: new (network: Network, shares: readonly NativeShare[], options: NativeTraining) => Trainer
  /** Holds a folder until the answer is called or the process ends; undefined where another holds it. */
  lockFolder(folder: string): (() => void) | undefined
  /** Seconds of one product of two square matrices, the best of several: what the machine can do. */
  measureMatrixProduct(precision: 'float32' | 'bfloat16' | 'int8', side: number): Promise<number>
  arm(features: Tensor, weights: NativeArmWeights): Promise<Tensor>
  resize(pixels: Tensor, height: number, width: number): Promise<Tensor>
  toColor(pixels: Tensor<'uint8'>, color: Color): Promise<Tensor<'uint8'>>
  /** Stops every job of this environment and waits for those that run. */
  close(): void
  Backbone: new (
    name: string,
    stem: string,
    weights: readonly (Tensor & { name: string })[],
  ) => NativeBackbone
}

/** The package's folder: one above `lib` in a checkout, one above `dist` where it is installed. */
export const packageFolder = fileURLToPath(new URL('..', import.meta.url))
const loaded = loadAddon(packageFolder)
export const addonPath = loaded.path
export const native = loaded.addon as Native

// `process.exit` runs no cleanup hooks of the main environment: without this, LibTorch would be torn down under a
// thread that still trains.
process.once('exit', () => native.close())
