import { constants } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { settled } from '../calls.js'
import { FerError } from '../errors.js'
import type { OpenTensors, TensorPlace } from '../native.js'
import { readHeaderOf } from '../safetensors.js'
import { readPth } from '../weights/pth.js'
import { renamed, weightsIn } from '../weights/state-dict.js'

/** A file of weights, open until `close`. Names are those of this package. */
export interface WeightsFile {
  readonly path: string
  readonly tensors: readonly TensorPlace[]
  /** What a safetensors header says beside the tensors; absent for a PyTorch checkpoint. */
  readonly metadata?: Readonly<Record<string, string>>
  /** For native calls. */
  readonly source: OpenTensors
  readonly close: () => Promise<void>
}

/** Zip archives begin so, and so do the pickles of PyTorch before 1.6. */
const pytorchStarts = ['PK\x03\x04', 'PK\x05\x06', '\x80\x02\x8a\x0a']

/** Opens safetensors or a PyTorch checkpoint, told apart by content. ERR_MODEL_NOT_FOUND, ERR_BAD_MODEL. */
export async function openWeights(path: string): Promise<WeightsFile> {
  const file = await openFile(path)
  try {
    const { metadata, tensors } = await readTensors(file, path)
    const source = { descriptor: file.fd, path, tensors }
    return { path, tensors, ...(metadata ? { metadata } : {}), source, close: () => file.close() }
  } catch (error) {
    await file.close()
    throw error instanceof FerError ? error : unreadable(path, error as Error)
  }
}

/** Without waiting for what is not a file. ERR_MODEL_NOT_FOUND, ERR_BAD_MODEL. */
export async function openFile(path: string): Promise<FileHandle> {
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) {
    const what = found ? `\`${resolve(path)}\` is not a file` : `There is no model file \`${resolve(path)}\``
    throw new FerError('ERR_MODEL_NOT_FOUND', `${what}. Train a model, or correct the path`)
  }
  // Without O_NONBLOCK, a pipe that took the file's place meanwhile would be waited for.
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: Error) => {
    throw unreadable(path, cause)
  })
}

const unreadable = (path: string, cause: Error): FerError =>
  new FerError('ERR_BAD_MODEL', `Cannot read \`${path}\`: ${cause.message}. Make it readable`, { cause })

async function readTensors(file: FileHandle, path: string) {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0)
  const start = buffer.toString('latin1', 0, bytesRead)
  if (pytorchStarts.includes(start))
    return { tensors: weightsIn(await readPth(file, path), path), metadata: undefined }
  const { metadata, tensors } = await readHeaderOf(file, path)
  return {
    metadata,
    tensors: metadata.format === undefined || metadata.format === 'pt' ? renamed(tensors) : tensors,
  }
}

/** Awaits a native call that reads a file, naming that in what it rejects with. */
export async function ofFile<T>(path: string, call: () => Promise<T>): Promise<T> {
  try {
    return await settled(call)
  } catch (error) {
    if (!(error instanceof FerError) || error.message.includes(path)) throw error
    throw new FerError(error.code, `\`${path}\`: ${error.message}`, { cause: error })
  }
}
