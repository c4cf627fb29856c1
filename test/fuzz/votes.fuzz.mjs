import assert from 'node:assert/strict'
import { expressions } from '../../lib/datasets/expressions.js'
import { withVotes } from '../../lib/datasets/votes.js'
import { readVotes } from '../../lib/datasets/votes-file.js'
import { answerOf, scratchFile } from './harness.mjs'

const classes = ['fear', 'happiness', 'sadness']

/** A votes file for the faces `a`, `b`, `row 1` and `row 2`, whatever else it names. */
export async function fuzz(input) {
  const file = scratchFile(input)
  const votes = await answerOf(() => readVotes(file), 'ERR_BAD_CSV')
  if (!votes) return assert.rejects(faces(file, {}).open('train'), { code: 'ERR_BAD_CSV' })
  for (const [name, given] of votes.bySample) assertVotes(name, given)
  for (const use of ['soft', 'majority'])
    for (const share of [1, 0.5]) await assertJudged(file, { use, share, contempt: share === 1 })
  await assertSame(votes)
}

const faces = (file, options) => {
  const samples = ['a', 'b', 'row 1', 'row 2'].map((name, index) => ({ name, label: index % 3 }))
  const open = async () => ({ classes, color: 'grey', samples, fingerprint: '' })
  return withVotes({ name: 'faces', splits: async () => [], open }, { file, ...options })
}

function assertVotes(name, { expressions: counts, none }) {
  assert.notEqual(name.trim(), '')
  for (const expression of counts.keys()) assert.ok(expressions.includes(expression))
  for (const count of [...counts.values(), ...none]) assert.ok(count >= 0 && Number.isFinite(count))
}

async function assertJudged(file, options) {
  const split = await answerOf(() => faces(file, options).open('train'), 'ERR_BAD_DATA')
  if (!split) return
  const { contempt, share } = options
  assert.deepEqual(split.classes, contempt ? [...classes, 'contempt'] : classes)
  assert.ok(share === 1 ? split.samples.length > 0 : split.samples.length === 4)
  for (const { label, target } of split.samples) {
    assert.ok(split.classes[label], `label ${label}`)
    if (!target) assert.ok(share < 1)
    else assertTarget(target, split.classes.length, share === 1 ? label : undefined)
  }
}

function assertTarget(target, count, largest) {
  assert.equal(target.length, count)
  const sum = target.reduce((total, part) => total + part, 0)
  assert.ok(target.every((part) => part >= 0) && Math.abs(sum - 1) < 1e-9, `${target}`)
  if (largest !== undefined) assert.equal(target[largest], Math.max(...target))
}

/** Written anew with names of its own, a file says the same. */
async function assertSame({ bySample }) {
  const given = [...bySample.values()]
  const kinds = [...(given[0]?.expressions.keys() ?? [])]
  if (kinds.length < 2) return
  const noneNames = ['unknown', 'nf', 'not_a_face', 'not a face'].slice(0, given[0].none.length)
  const rows = given.map(({ expressions: counts, none }, index) => [
    `face ${index}`,
    ...counts.values(),
    ...none,
  ])
  const text = [['file', ...kinds, ...noneNames], ...rows].map((row) => row.map(decimal).join(',')).join('\n')
  const again = await answerOf(() => readVotes(scratchFile(text)), 'ERR_BAD_CSV')
  // Columns of one meaning may add up to more than one may hold.
  if (!again) return assert.ok(rows.flat().some((value) => value > 1e6))
  assert.deepEqual(
    [...again.bySample.values()],
    given.map(({ expressions: counts, none }) => ({ expressions: counts, none })),
  )
}

/** Without an exponent, which is refused. */
const decimal = (value) =>
  typeof value === 'number' && String(value).includes('e') ? value.toFixed(100) : value
