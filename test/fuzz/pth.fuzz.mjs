import { open } from 'node:fs/promises'
import { readPth } from '../../lib/weights/pth.js'
import { answerOf, scratchFile } from './harness.mjs'
import { assertInside } from './stored.mjs'

/** A checkpoint of torch.save: a zip archive. */
export async function fuzz(input) {
  const path = scratchFile(input)
  const file = await open(path)
  try {
    const checkpoint = await answerOf(() => readPth(file, path), 'ERR_BAD_MODEL')
    if (checkpoint !== undefined) assertInside(checkpoint, [{ begin: 0, end: input.length }])
  } finally {
    await file.close()
  }
}
