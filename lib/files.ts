import { rename, rm, writeFile } from 'node:fs/promises'
import { FerError } from './errors.js'

/** To a temporary beside it, flushed to disk, then renamed. ERR_OUTPUT. */
export const writeAtomically = (path: string, content: string | readonly Uint8Array[]): Promise<void> =>
  writing(path, async () => {
    const temporary = `${path}.tmp`
    try {
      await writeFile(temporary, content, { flush: true })
      await rename(temporary, path)
    } catch (error) {
      // What went wrong first is what counts.
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
  })

const cureFor = (error: unknown): string =>
  ['ENOSPC', 'EDQUOT', 'EFBIG'].includes((error as NodeJS.ErrnoException).code ?? '')
    ? 'Free space, or choose another folder'
    : 'Choose a folder that can be written'

/** What fails in `write` as an ERR_OUTPUT that names the path. */
export async function writing<T>(path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    const why = (error as Error).message
    throw new FerError('ERR_OUTPUT', `Cannot write \`${path}\`: ${why}. ${cureFor(error)}`, { cause: error })
  }
}
