const signals = ['SIGINT', 'SIGTERM'] as const

/** The user's wish to stop; its message says where that was. */
export class Interrupted extends Error {}

/** Gives `work` a signal that Ctrl-C aborts, so that it ends in order; a second Ctrl-C ends the process at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController()
  const abort = () => controller.abort(new Interrupted('stopped'))
  for (const name of signals) process.once(name, abort)
  try {
    return await work(controller.signal)
  } finally {
    for (const name of signals) process.removeListener(name, abort)
  }
}
