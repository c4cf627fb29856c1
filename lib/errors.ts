/** Every code an error of this package can carry, with what it means in one line. */
export const errorCodes = {
  ERR_INVALID_OPTION: 'An option has the wrong type or is out of its range.',
  ERR_UNKNOWN_OPTION: 'An option is not one of those the call knows.',
  ERR_DATASET_NOT_FOUND: 'The folder or file of a data set does not exist.',
  ERR_DATASET_EMPTY: 'A data set, a split or a class folder holds no picture.',
  ERR_UNKNOWN_SPLIT: 'The split asked for is not among those the data set has.',
  ERR_UNKNOWN_CLASS: 'A class name or label is not one of the known expressions.',
  ERR_BAD_CSV: 'A row of a CSV file cannot be read.',
  ERR_BAD_IMAGE: 'A picture cannot be decoded.',
  ERR_BAD_BOX: 'A crop box does not lie inside the upright picture.',
  ERR_BAD_DATA: 'A data set contradicts itself.',
  ERR_CLASS_MISMATCH: 'The classes of the data are not those of the model.',
  ERR_IMAGE_SIZE: 'The input size leaves the head too few features for the classes.',
  ERR_MODEL_NOT_FOUND: 'The model file does not exist.',
  ERR_BAD_MODEL: 'The model file is damaged, or is not a model of this package.',
  ERR_UNCALIBRATED: 'The model has no running generic part, which affinity `ema` needs.',
  ERR_OUTPUT_EXISTS: 'The output folder already holds a run, or another run writes to it.',
  ERR_RESUME: 'The run to go on with was begun with other options or other faces.',
  ERR_OUTPUT: 'A file of the output cannot be written.',
  ERR_DISPOSED: 'The model was disposed of before this call.',
  ERR_DIVERGED: 'The training loss is no longer a finite number.',
  ERR_NATIVE_LOAD: 'The native addon cannot be loaded.',
  ERR_NATIVE: 'LibTorch reported an error that is none of the above.',
} as const

export type ErrorCode = keyof typeof errorCodes

/** The one error type of the package: a sentence that names the field or file and the cure, and a `code`. */
export class FerError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FerError'
    this.code = code
  }
}

/** Text that a file chose, made fit for a message: short, and without anything a terminal would obey. */
export function plain(value: unknown, longest = 100): string {
  const text = typeof value === 'string' ? value : typeof value
  const printable = text.slice(0, longest).replace(/\p{C}/gu, '?')
  return text.length > longest ? `${printable}...` : printable
}
