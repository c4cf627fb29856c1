import type { DeviceName, PrecisionName } from './catalog.js'
import { type ErrorCode, errorCodes, FerError } from './errors.js'
import { type Cancellation, type ChosenDevice, native } from './native.js'

/** What the name of a device stands for on this machine: `cpu` or `cuda:N`. ERR_DEVICE where it cannot be used. */
export const chosenDevice = (name: DeviceName): string => choose(name).device

/** What `auto` stands for on a device. */
export const chosenPrecision = <N extends PrecisionName>(
  name: N,
  device: DeviceName = 'cpu',
): Exclude<N, 'auto'> | 'float32' | 'bfloat16' =>
  name === 'auto' ? choose(device).autoPrecision : (name as Exclude<N, 'auto'>)

function choose(device: DeviceName): ChosenDevice {
  try {
    return native.chooseDevice(device)
  } catch (error) {
    throw toFerError(error)
  }
}

/** Awaits a native call, rethrowing what it rejects with as our own error, with the caller's frames in its stack. */
export async function settled<T>(
  call: Promise<T> | (() => T | Promise<T>),
  signal?: AbortSignal,
): Promise<T> {
  try {
    return await (typeof call === 'function' ? call() : call)
  } catch (error) {
    if ((error as { code?: string }).code === 'ABORTED' && signal?.aborted) throw signal.reason
    throw toFerError(error)
  }
}

/** An error of the addon as our own; any other as it is. */
export function toFerError(error: unknown): unknown {
  const { code, message } = error as { code?: string; message: string }
  const isOurs = code !== undefined && Object.hasOwn(errorCodes, code) && !(error instanceof FerError)
  return isOurs ? new FerError(code as ErrorCode, message, { cause: error }) : error
}

/** Wraps a listener of the caller's: where it throws, the call stops and rejects with what was thrown. */
type Listening = <A extends unknown[]>(listener: (...given: A) => void) => (...given: A) => void

/** Runs `call` with a cancellation that `signal`, or a listener that throws, raises. */
export async function cancellable<T>(
  signal: AbortSignal | undefined,
  call: (cancellation: Cancellation, listening: Listening) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const cancellation = new native.Cancellation()
  const stop = new AbortController()
  stop.signal.addEventListener('abort', () => cancellation.request())
  const follow = () => stop.abort(signal?.reason)
  signal?.addEventListener('abort', follow, { once: true })
  try {
    const result = await settled(() => call(cancellation, listeningTo(stop)), stop.signal)
    // It may have been stopped at the very end, when there was nothing left to stop.
    stop.signal.throwIfAborted()
    return result
  } finally {
    signal?.removeEventListener('abort', follow)
  }
}

const listeningTo =
  (stop: AbortController): Listening =>
  (listener) =>
  (...given) => {
    try {
      listener(...given)
    } catch (error) {
      stop.abort(error)
    }
  }
