import { inspect } from 'node:util'
import { CommanderError } from 'commander'
import { type ErrorCode, FerError } from '../errors.js'

export const exitCodes = { failure: 1, usage: 2 } as const

/** Errors that a different command line cures. */
const usage: ReadonlySet<ErrorCode> = new Set(['ERR_INVALID_OPTION', 'ERR_UNKNOWN_OPTION', 'ERR_IMAGE_SIZE'])

/** The answer, on stdout: everything else goes to stderr, so that stdout can be piped. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2))

/** One line on stderr, whatever the text holds. */
export function complain(text: string): void {
  process.stderr.write(`fer-torch: ${text.trim().replace(/\s*[\r\n]+\s*/g, ' ')}\n`)
}

/** `batch` is the published behaviour, and no property of the model alone. */
export function warnAboutAffinity(affinity: string | undefined): void {
  if (affinity !== 'batch') return
  complain(
    'warning: with affinity `batch` each answer depends on the other faces of its batch and on --batch-size. ' +
      'Leave --affinity out for answers that depend on one face alone',
  )
}

/** Says what went wrong in one line, and returns the exit code. */
export function reportError(error: unknown): number {
  if (process.env.FER_TORCH_DEBUG === '1') process.stderr.write(`${inspect(error)}\n`)
  // Printed already; help and version come as errors too, of exit code 0.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage
  complain(messageOf(error))
  return error instanceof FerError && usage.has(error.code) ? exitCodes.usage : exitCodes.failure
}

// LibTorch's own messages go on with a C++ stack, below the first line.
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error instanceof FerError && error.code !== 'ERR_NATIVE') return error.message
  return error.message.split('\n')[0] || error.name
}

/** A reader that leaves early, as `head` does, is no error. */
export function ignoreClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return
      process.exitCode = exitCodes.failure
      if (stream === process.stdout)
        complain(`Cannot write the answer: ${error.message}. Free space, or write it elsewhere`)
    })
  }
}
