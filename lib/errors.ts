/** Every code an error of this package can carry, with what it means and what to do about it. */
export const errorCodes = {
  ERR_INVALID_OPTION: {
    meaning: 'An option has the wrong type, is out of its range, or does not go with another.',
    cure: 'The message says what was expected and what was given. On the command line, `--help` lists every flag with its default.',
  },
  ERR_UNKNOWN_OPTION: {
    meaning: 'An option is not one of those the call knows: most often it is misspelled.',
    cure: 'Take the name the message suggests. Unknown names are refused because an option that is silently ignored changes results.',
  },
  ERR_DATASET_NOT_FOUND: {
    meaning: 'The folder or file of a data set does not exist, or cannot be read.',
    cure: 'Check the path, which counts from the current folder, and that the archive was unpacked.',
  },
  ERR_DATASET_EMPTY: {
    meaning: 'A data set, a split or a class folder holds no picture.',
    cure: 'Put pictures there, or remove the empty folder. Files of other kinds than JPEG, PNG, WebP, GIF, TIFF and AVIF are passed over.',
  },
  ERR_UNKNOWN_SPLIT: {
    meaning: 'The split asked for is not among those the data set has, or its folders are at odds.',
    cure: 'Choose one of the splits the message lists. `train` needs `train`; `evaluate` takes `test` unless told otherwise.',
  },
  ERR_UNKNOWN_CLASS: {
    meaning: 'A class name or label is not one of the known expressions.',
    cure: 'Rename the class after its expression (surprise, fear, disgust, happiness, sadness, anger, neutral, contempt, or a usual alias such as `angry`), or move it out of the data set.',
  },
  ERR_BAD_CSV: {
    meaning: 'A row of a CSV file cannot be read.',
    cure: 'The message names file and line. Correct the line, or take the file from its archive again.',
  },
  ERR_BAD_IMAGE: {
    meaning: 'A picture cannot be decoded: it is damaged, of an unknown format, or too large.',
    cure: 'Replace or remove it. To predict the others all the same, give `onError: "return"`; each bad picture then has its error in its place.',
  },
  ERR_BAD_BOX: {
    meaning: 'A crop box does not lie inside the upright picture.',
    cure: 'Clip the box to the picture. It counts pixels after EXIF orientation was applied, as most viewers show the picture.',
  },
  ERR_BAD_DATA: {
    meaning: 'A data set contradicts itself: a list and its pictures, or pictures and labels.',
    cure: 'The message says where. Unpack the data set anew; where you wrote the data set yourself, give it a new fingerprint whenever its pictures change.',
  },
  ERR_CLASS_MISMATCH: {
    meaning: 'The data have a class that the model does not know.',
    cure: 'Leave those pictures out, or use a model with that class. `inspect` lists the classes of a model.',
  },
  ERR_IMAGE_SIZE: {
    meaning: 'The input size leaves the head too few features for the classes.',
    cure: 'Take at least the size the message names, or a smaller stem: ARM reads (2h - 3) squared features of a map of side h, and needs two a class.',
  },
  ERR_MODEL_NOT_FOUND: {
    meaning: 'The model file does not exist.',
    cure: 'Check the path, which counts from the current folder. `train` writes best.safetensors and last.safetensors into its output folder.',
  },
  ERR_BAD_MODEL: {
    meaning: 'A file of weights is damaged, of another kind than expected, or not fit for the network.',
    cure: 'The message names the file and the tensor or field. Copy or download it again. PyTorch files older than version 1.6, or with more than weights in them, are saved anew with the line of Python that the message gives.',
  },
  ERR_UNCALIBRATED: {
    meaning:
      'The model has no running generic part, which affinity `ema` needs: it comes from the official ARM code.',
    cure: 'Compute it once over training faces with `fer-torch calibrate` or `model.calibrate(data)`, or leave the part out with affinity `none`.',
  },
  ERR_NOT_QUANTIZED: {
    meaning: 'Precision `int8` was asked for, but the ranges of the values within the model are not known.',
    cure: 'Measure them once over training faces with `fer-torch quantize` or `model.quantize(data)`, or choose another precision.',
  },
  ERR_DEVICE: {
    meaning: 'The device asked for cannot be used.',
    cure: 'The message says what is missing: an addon built for NVIDIA GPUs (docs/cuda.md), a driver, that GPU, or a newer one. `fer-torch doctor` lists what there is; device `cpu` always works.',
  },
  ERR_OUTPUT_EXISTS: {
    meaning: 'The output folder already holds a run, or another run writes to it.',
    cure: 'Go on with that run with `resume`, name another folder, or remove that one.',
  },
  ERR_RESUME: {
    meaning: 'The run to go on with was begun with other options or other faces.',
    cure: 'Give what it was begun with; the message lists each difference. Only `epochs` may grow. For other options begin another run, if you like from its weights with `pretrained`.',
  },
  ERR_OUTPUT: {
    meaning: 'A file of the output cannot be written.',
    cure: 'Free space, or choose a folder that can be written. A run that stopped for it goes on from its last checkpoint with `resume`.',
  },
  ERR_DISPOSED: {
    meaning: 'The model was disposed of before this call.',
    cure: 'Load it again, or dispose of it later: with `await using` at the end of the block.',
  },
  ERR_DIVERGED: {
    meaning: 'In training, the loss or a weight is no longer a finite number.',
    cure: 'Most often the steps are too large: lower `learningRate`, lengthen `warmupEpochs`, or clip gradients with `clipNorm`. To keep what was learned, begin another run with `pretrained: "RUN/last.safetensors"`.',
  },
  ERR_NATIVE_LOAD: {
    meaning: 'The native addon cannot be loaded.',
    cure: 'In a clone, run `npm install`. `fer-torch doctor` says what is there and what is missing.',
  },
  ERR_NATIVE: {
    meaning: 'LibTorch reported an error that is none of the above, such as too little memory.',
    cure: 'With too little memory, lower `batchSize` or `imageSize`. Otherwise it is a mistake of this package: report it with the output of `fer-torch doctor`, and with FER_TORCH_DEBUG=1 for the stack.',
  },
} as const

export type ErrorCode = keyof typeof errorCodes

/** The one error type of the package: a sentence that names the field or file and the cure, and a `code`. */
export class FerError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    // One voice: no full stop at the end.
    super(message.replace(/\.$/, ''), options)
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
