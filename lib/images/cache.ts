import { join } from 'node:path'
import envPaths from 'env-paths'

/** Where packed pictures are kept between runs: FER_TORCH_CACHE, or the system's cache folder. Safe to delete. */
export const cacheFolder = (): string =>
  process.env.FER_TORCH_CACHE ?? envPaths('fer-torch', { suffix: '' }).cache

export const packFolder = (): string => join(cacheFolder(), 'packs')
