import { stat } from 'node:fs/promises'
import pMap from 'p-map'
import sharp from 'sharp'
import type { Color } from '../catalog.js'
import { isGreyscale } from './decode.js'

// Enough to find colour in a mixed set, few enough to read at once.
const probes = 32

/**
 * `grey` where each of up to 32 files, evenly spaced over the list, stores greyscale, else `rgb`. A file that cannot
 * be read counts as colour: its error, with the name, is left to the decoding of the whole set.
 */
export async function probeColor(paths: readonly string[]): Promise<Color> {
  const flags = await pMap(evenlySpaced(paths, probes), storesGreyscale, { concurrency: 4 })
  return flags.length > 0 && flags.every(Boolean) ? 'grey' : 'rgb'
}

function evenlySpaced<Item>(items: readonly Item[], count: number): Item[] {
  const taken = Math.min(count, items.length)
  return Array.from({ length: taken }, (_, index) => items[Math.floor((index * items.length) / taken)]!)
}

async function storesGreyscale(path: string): Promise<boolean> {
  // A pipe would be waited for.
  const file = await stat(path).catch(() => undefined)
  if (!file?.isFile()) return false
  const header = await sharp(path)
    .metadata()
    .catch(() => undefined)
  return header !== undefined && isGreyscale(header)
}
