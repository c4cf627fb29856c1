import { FerError } from '../errors.js'
import { fail, show } from '../options/check.js'
import type { Dataset } from './dataset.js'
import { fer2013 } from './fer2013.js'
import { folder } from './folder.js'
import { rafDb } from './raf-db.js'
import { synthetic } from './synthetic.js'

/** One row a kind of data set that can be named in one word. */
const kinds: Readonly<Record<string, (rest: string) => Dataset>> = {
  fer2013,
  folder,
  'raf-db': rafDb,
  synthetic: (count) =>
    synthetic({ count: /^\d+$/.test(count) ? Number(count) : fail('COUNT', 'a whole number', count) }),
}

/** `fer2013:PATH`, `folder:PATH`, `raf-db:PATH` or `synthetic:COUNT`. */
export function parseSpec(spec: string): Dataset {
  const colon = spec.indexOf(':')
  const kind = spec.slice(0, Math.max(colon, 0))
  const make = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined
  const rest = spec.slice(colon + 1)
  if (make && rest !== '') return make(rest)
  throw new FerError(
    'ERR_INVALID_OPTION',
    `Expected a data set such as fer2013:PATH, folder:PATH, raf-db:PATH or synthetic:COUNT, got ${show(spec)}`,
  )
}
