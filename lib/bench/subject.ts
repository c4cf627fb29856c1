import { join } from 'node:path'
import type { PrecisionName } from '../catalog.js'
import { expressions } from '../datasets/expressions.js'
import { synthetic } from '../datasets/index.js'
import { imageNet, type ModelInfo } from '../model/info.js'
import { Model } from '../model.js'
import { native } from '../native.js'
import { machinePrecisions } from './precisions.js'

/** The model measured, as it computes in one precision. */
export interface Variant {
  readonly precision: PrecisionName
  readonly model: Model
}

/** ResNet-18 + ARM with weights as training begins with: what they are does not change how long they take. */
export class Subject {
  readonly #made = new Map<string, Promise<unknown>>()

  private constructor(
    readonly model: Model,
    readonly folder: string,
  ) {}

  static async make(folder: string, imageSize: number): Promise<Subject> {
    const info = describeModel(imageSize)
    const model = new Model(info, await native.createNetwork(info, 0))
    await model.calibrate(faces)
    return new Subject(model, folder)
  }

  /** A safetensors file of the model. */
  file(dtype: 'float32' | 'bfloat16'): Promise<string> {
    return this.#written(`${dtype}.safetensors`, (path) => this.model.save(path, { dtype }))
  }

  onnx(): Promise<string> {
    return this.#written('float32.onnx', (path) => this.model.export(path))
  }

  /** In every precision that this machine has instructions for. */
  variants(): Promise<readonly Variant[]> {
    return this.#once('variants', async () => {
      const precisions = machinePrecisions()
      if (precisions.includes('int8')) await this.model.quantize(faces)
      return precisions.map((precision) => ({ precision, model: this.model }))
    })
  }

  async #written(name: string, write: (path: string) => Promise<void>): Promise<string> {
    const path = join(this.folder, name)
    await this.#once(name, () => write(path))
    return path
  }

  #once<T>(name: string, make: () => Promise<T>): Promise<T> {
    if (!this.#made.has(name)) this.#made.set(name, make())
    return this.#made.get(name) as Promise<T>
  }
}

const faces = synthetic({ count: 14 })

/** With the stem that training chooses for the size. */
export function describeModel(imageSize: number): ModelInfo {
  const network = { backbone: 'resnet18', head: 'arm', affinity: 'ema', color: 'rgb' } as const
  const stem = imageSize < 112 ? 'medium' : 'standard'
  const classes = expressions.slice(0, 7)
  const provenance = { made: 'for measuring alone: its weights are drawn' }
  return { ...network, stem, imageSize, normalization: imageNet, classes, classCount: 7, provenance }
}
