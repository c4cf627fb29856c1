import test from 'ava'
import { canonicalExpression, expressions, inCanonicalOrder } from '../../lib/datasets/expressions.js'

test('the canonical order is that of RAF-DB, contempt last', (t) => {
  t.deepEqual(
    [...expressions],
    ['surprise', 'fear', 'disgust', 'happiness', 'sadness', 'anger', 'neutral', 'contempt'],
  )
})

test('every canonical name stands for itself', (t) => {
  for (const expression of expressions) t.is(canonicalExpression(expression), expression)
})

test('usual names stand for their expression in any case', (t) => {
  // The folder names of FER2013, and those of common copies of other sets.
  t.is(canonicalExpression('angry'), 'anger')
  t.is(canonicalExpression('HAPPY'), 'happiness')
  t.is(canonicalExpression('Sad'), 'sadness')
  t.is(canonicalExpression('Surprised'), 'surprise')
  t.is(canonicalExpression('fearful'), 'fear')
  t.is(canonicalExpression('scared'), 'fear')
  t.is(canonicalExpression('disgusted'), 'disgust')
  t.is(canonicalExpression('Contemptuous'), 'contempt')
  t.is(canonicalExpression('Joy'), 'happiness')
})

test('numbers, near misses and names that every JavaScript object has stand for nothing', (t) => {
  for (const name of ['1', '7', '', 'happ', 'hapiness', 'constructor', '__proto__', 'toString']) {
    t.is(canonicalExpression(name), undefined, name)
  }
})

test('expressions present are listed once each, in canonical order', (t) => {
  t.deepEqual(inCanonicalOrder(['contempt', 'anger', 'fear', 'anger']), ['fear', 'anger', 'contempt'])
  t.deepEqual(inCanonicalOrder([]), [])
})
