import assert from 'node:assert/strict'
import { splitNames } from '../../lib/datasets/dataset.js'
import { expressions } from '../../lib/datasets/expressions.js'
import { fer2013 } from '../../lib/datasets/fer2013.js'
import { answerOf, assertSubset, scratchFile } from './harness.mjs'

const face = new Array(48 * 48).fill('7').join(' ')

/** A `fer2013.csv`, in which a tilde stands for a whole face: else no small input would hold a good row. */
export async function fuzz(input) {
  const text = input.toString('latin1').replaceAll('~', face)
  const data = fer2013(scratchFile(Buffer.from(text, 'latin1')))
  const splits = await answerOf(() => data.splits(), 'ERR_BAD_CSV')
  if (!splits) return
  assertSubset(splits, splitNames)
  if (splits.length === 0) return assert.rejects(data.open('train'), { code: 'ERR_DATASET_EMPTY' })
  for (const split of splits) assertSound(await data.open(split))
}

function assertSound({ classes, samples, pixels, color }) {
  assertSubset(classes, expressions)
  assert.equal(color, 'grey')
  assert.deepEqual(pixels.shape, [samples.length, 48, 48, 1])
  assert.equal(pixels.data.length, samples.length * 48 * 48)
  assert.equal(new Set(samples.map(({ name }) => name)).size, samples.length)
  for (const { label } of samples) assert.ok(classes[label], `label ${label} of ${classes}`)
}
