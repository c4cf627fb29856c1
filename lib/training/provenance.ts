import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chosenPrecision } from '../calls.js'
import { native, packageFolder } from '../native.js'
import type { TrainingSettings } from '../options/training.js'
import type { TrainingFaces } from './faces.js'

interface Versions {
  readonly ferTorch: string
  readonly libTorch: string
  readonly node: string
}

export function versions(): Versions {
  const { version } = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8')) as {
    version: string
  }
  return { ferTorch: version, libTorch: native.describe().libTorch, node: process.version }
}

/** What a model file says of its making. */
export function provenanceOf(settings: TrainingSettings, faces: TrainingFaces): Record<string, unknown> {
  const { data, validation, output, signal, onPack, ...options } = settings
  return {
    versions: versions(),
    data: data.name,
    trainingFaces: faces.training.indices.length,
    validatedOn: faces.validatedOn,
    validationFaces: faces.validation.indices.length,
    options: { ...options, color: faces.color, precision: chosenPrecision(options.precision) },
  }
}
