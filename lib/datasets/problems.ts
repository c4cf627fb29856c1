import { FerError } from '../errors.js'
import { text } from '../options/check.js'
import type { SplitName } from './dataset.js'
import { expressions } from './expressions.js'

const knownNames = `${expressions.join(', ')}, or a usual alias such as happy or angry`

/** `what` names where the unknown class stands: the class folder `faces/joyous`. */
export function unknownClass(what: string, cure: string): FerError {
  return new FerError('ERR_UNKNOWN_CLASS', `${what} is not a known expression (${knownNames}). ${cure}`)
}

export function unknownSplit(path: string, wanted: SplitName, present: readonly SplitName[]): FerError {
  const list = present.map((name) => `\`${name}\``).join(', ')
  return new FerError(
    'ERR_UNKNOWN_SPLIT',
    `No split \`${wanted}\` in \`${path}\`: it has ${list}. Choose one of those, or add the missing split.`,
  )
}

export function mixedLayout(path: string): FerError {
  return new FerError(
    'ERR_UNKNOWN_SPLIT',
    `\`${path}\` lies beside folders of splits but is none itself. ` +
      'Move it into the split it belongs to, or out of the data set.',
  )
}

export function doubledSplit(root: string, split: SplitName, first: string, second: string): FerError {
  return new FerError(
    'ERR_UNKNOWN_SPLIT',
    `Both \`${first}\` and \`${second}\` in \`${root}\` stand for the split \`${split}\`. ` +
      'Merge the two, or move one out of the data set.',
  )
}

export function withoutClasses(path: string): FerError {
  return new FerError(
    'ERR_DATASET_EMPTY',
    `No class folder in \`${path}\`. ` +
      'Put the pictures into folders named after their expression, such as `happiness` and `anger`.',
  )
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'it does not exist. Check the path',
  ENOTDIR: 'it is a file, not a folder. Give the folder that holds the class folders',
  EACCES: 'permission was denied. Make it readable',
  EPERM: 'permission was denied. Make it readable',
}

/** A failure of the file system on the way to a data set. */
export function unreadable(path: string, cause: unknown): FerError {
  const { code = '', message } = cause as NodeJS.ErrnoException
  const reason = reasons[code] ?? `${message}. Check the path`
  return new FerError('ERR_DATASET_NOT_FOUND', `Cannot open the data set \`${path}\`: ${reason}.`, { cause })
}

/** For callers in plain JavaScript, whom no type stops. */
export function requirePath(path: unknown): asserts path is string {
  text(path, 'path')
}
