import assert from 'node:assert/strict'
import { expressions } from '../../lib/datasets/expressions.js'
import { readRafDbList } from '../../lib/datasets/raf-db-list.js'
import { answerOf, scratchFile } from './harness.mjs'

/** A `list_patition_label.txt`. */
export async function fuzz(input) {
  const read = () => readRafDbList(scratchFile(input))
  const faces = await answerOf(read, 'ERR_BAD_DATA', 'ERR_DATASET_EMPTY')
  if (faces) await assertSound(faces)
}

async function assertSound(faces) {
  assert.equal(new Set(faces.map(({ name }) => name)).size, faces.length)
  for (const { name, split } of faces) {
    assert.match(name, /^[\w-]+$/) // part of a path
    assert.ok(name.startsWith(`${split}_`))
  }
  const lines = faces.map(({ name, expression }) => `${name}.jpg ${expressions.indexOf(expression) + 1}`)
  const again = await readRafDbList(scratchFile(lines.join('\n')))
  const withoutLine = ({ line, ...face }) => face // blank lines are gone
  assert.deepEqual(again.map(withoutLine), faces.map(withoutLine))
}
