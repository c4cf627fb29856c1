import test from 'ava'
import { accuracy, classRates, macroF1, meanClassAccuracy } from '../../lib/metrics/classification.js'
import { confusionMatrix, predictedClasses } from '../../lib/metrics/confusion.js'

test('the predicted class is the largest logit of each row, the first of equal ones', (t) => {
  const logits = Float32Array.of(0, 2, 1, 5, 5, -1, -3, -2, -1)
  t.deepEqual([...predictedClasses(logits, 3)], [1, 0, 2])
})

test('the confusion matrix has the truth in rows and the prediction in columns', (t) => {
  t.deepEqual(confusionMatrix([0, 0, 1, 2], [0, 1, 1, 0], 3), [
    [1, 1, 0],
    [0, 1, 0],
    [1, 0, 0],
  ])
})

// 10 of a, 4 of b, none of c; c is predicted twice.
const confusion = [
  [8, 1, 1],
  [2, 1, 1],
  [0, 0, 0],
]

test('precision, recall and F1 of each class are those counted by hand', (t) => {
  t.deepEqual(classRates(confusion, ['a', 'b', 'c']), [
    // 8 of 10 predicted, 8 of 10 true, 16 / (10 + 10)
    { name: 'a', precision: 0.8, recall: 0.8, f1: 0.8, support: 10 },
    // 1 of 2 predicted, 1 of 4 true, 2 / (4 + 2)
    { name: 'b', precision: 0.5, recall: 0.25, f1: 1 / 3, support: 4 },
    // none of 2 predicted, no true sample: undefined recall is 0
    { name: 'c', precision: 0, recall: 0, f1: 0, support: 0 },
  ])
})

test('accuracy counts samples, mean class accuracy and macro-F1 count classes that have samples', (t) => {
  const classes = classRates(confusion, ['a', 'b', 'c'])
  t.is(accuracy(confusion), 9 / 14)
  t.is(meanClassAccuracy(classes), (0.8 + 0.25) / 2)
  t.is(macroF1(classes), (0.8 + 1 / 3) / 2)
})

test('a class that is never predicted has precision 0 rather than not a number', (t) => {
  const [, never] = classRates(
    [
      [3, 0],
      [2, 0],
    ],
    ['a', 'b'],
  )
  t.deepEqual(never, { name: 'b', precision: 0, recall: 0, f1: 0, support: 2 })
})
