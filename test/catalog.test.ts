import test from 'ava'
import * as names from '../lib/catalog.js'
import { native } from '../lib/native.js'

// The native tables own the names; these lists give them types. Each must hold exactly what the other does.
const { precisions, trainingPrecisions, colors, ...shared } = names

for (const [table, own] of Object.entries(shared)) {
  test(`the typed names of ${table} are those of the native table, in its order`, (t) => {
    t.deepEqual([...own], [...native.catalog()[table as keyof typeof shared]])
  })
}

test('every native table has its typed names', (t) => {
  t.deepEqual(Object.keys(native.catalog()).sort(), Object.keys(shared).sort())
})

test('precision auto is one of those that can be asked for', (t) => {
  t.true(trainingPrecisions.includes(native.describe().autoPrecision))
  t.deepEqual([...precisions], [...trainingPrecisions, 'int8'])
  t.deepEqual([...colors], ['grey', 'rgb'])
})
