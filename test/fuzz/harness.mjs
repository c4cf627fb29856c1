import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FerError } from '../../lib/errors.js'

/** What `read` answers, or undefined where it refuses with one of the codes; any other error is a finding. */
export async function answerOf(read, ...codes) {
  try {
    return await read()
  } catch (error) {
    if (!(error instanceof FerError) || !codes.includes(error.code)) throw error
    assertPlain(error.message)
    return undefined
  }
}

/** What a message takes from a file is short, and nothing that a terminal obeys. */
function assertPlain(message) {
  assert.ok(message.length < 1000, `a message of ${message.length} characters`)
  assert.doesNotMatch(message, /\p{Cc}/u)
}

/** Writes the file that the fuzzer's thousands of inputs go through, in memory where the system offers that. */
export function scratchFile(bytes) {
  scratch ??= makeScratch()
  writeFileSync(scratch, bytes)
  return scratch
}

let scratch

function makeScratch() {
  const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fer-torch-fuzz-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'input')
}

/** Each is in the list, and none twice. */
export function assertSubset(items, list) {
  assert.equal(new Set(items).size, items.length)
  for (const item of items) assert.ok(list.includes(item), `${item} is none of ${list}`)
}
