import { rename } from 'node:fs/promises'
import pMap from 'p-map'
import type { Sample } from '../datasets/dataset.js'
import { FerError } from '../errors.js'
import type { PackOptions } from './pack.js'
import { checkSpace, onDisk } from './pack-disk.js'
import { digestOf, findPlaces, layOut, type Places } from './pack-file.js'
import { claimWorkplace } from './pack-folder.js'
import { bytesHeld, fileIn, type PartialPack, withPartialPack } from './pack-partial.js'
import { checkPicture, fitted, type Size, SizesDiffer, sizeFor, squareFor } from './pack-picture.js'

/** Pictures decoded at once: sharp works in libuv's four threads. */
const concurrency = 4

/** A pack on its way: where it will be, and the folder that it is made in. */
interface Making {
  readonly path: string
  readonly folder: string
  readonly samples: readonly Sample[]
  readonly options: PackOptions
}

/** Makes the file at `path`, which is there whole or not at all; goes on with what an earlier run has begun of it. */
export async function makePack(
  path: string,
  samples: readonly Sample[],
  options: PackOptions,
): Promise<Places> {
  const { folder, leave } = await onDisk(path, () => claimWorkplace(path))
  let useful = false
  try {
    // Another may have finished it before this one had the folder.
    return (await findPlaces(path, samples.length)) ?? (await makeIn({ path, folder, samples, options }))
  } catch (error) {
    useful = !isOfPicture(error)
    throw error
  } finally {
    await leave(useful)
  }
}

/** Once the picture is mended or taken out, it is another data set, with a pack of its own. */
const isOfPicture = (error: unknown): boolean =>
  error instanceof FerError && (error.code === 'ERR_BAD_IMAGE' || error.code === 'ERR_BAD_DATA')

/** Tries the pictures' own size; at the first that differs, begins again with the size asked for. */
async function makeIn(making: Making): Promise<Places> {
  const size = await chooseSize(making)
  try {
    return await write(making, size)
  } catch (error) {
    if (!(error instanceof SizesDiffer)) throw error
    return write(making, squareFor(making.options))
  }
}

/** That of what was begun: it knows whether the pictures' own size was given up. */
async function chooseSize({ folder, samples, options }: Making): Promise<Size> {
  const begun = await findPlaces(fileIn(folder), samples.length)
  if (!begun) {
    const [first] = samples
    return sizeFor(first && checkPicture(await first.read()), options)
  }
  const [, height, width] = begun.pixels.shape as [number, number, number]
  const square = squareFor(options)
  return width === square.width && height === square.height ? square : sizeFor({ width, height }, options)
}

async function write({ path, folder, samples, options }: Making, size: Size): Promise<Places> {
  const layout = layOut(samples, size, options.color)
  await checkSpace(path, layout.byteLength - (await bytesHeld(folder)))
  await withPartialPack({ path, folder, layout }, (pack) => fill(pack, samples, size, options))
  await onDisk(path, () => rename(fileIn(folder), path))
  return layout
}

async function fill(
  pack: PartialPack,
  samples: readonly Sample[],
  size: Size,
  { color, signal, onProgress }: PackOptions,
): Promise<void> {
  const { missing } = pack
  let done = samples.length - missing.length
  let ended = false
  const add = async (index: number) => {
    const picture = checkPicture(await samples[index]!.read())
    await pack.add(index, await fitted(picture, size, color), digestOf(picture))
    done++
    if (!ended) onProgress?.(done, samples.length)
  }
  if (done > 0) onProgress?.(done, samples.length)
  try {
    await pMap(missing, add, { concurrency, ...(signal ? { signal } : {}) })
  } finally {
    // Some may still be under way.
    ended = true
  }
}
