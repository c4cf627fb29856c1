import test from 'ava'
import { logSumExp, softmax } from '../../lib/metrics/softmax.js'

const near = (a: number, b: number) => Math.abs(a - b) < 1e-12

test('probabilities are the exponentials over their sum', (t) => {
  // exp(0), exp(ln 2), exp(ln 5) are 1, 2, 5 of 8.
  const result = softmax([0, Math.log(2), Math.log(5)])
  t.true(near(result[0]!, 1 / 8) && near(result[1]!, 2 / 8) && near(result[2]!, 5 / 8), `${result}`)
})

test('logits of any size neither overflow nor lose their sum', (t) => {
  for (const shift of [-1e5, -1000, 0, 1000, 1e5]) {
    const result = softmax([shift, shift + Math.log(3)])
    t.true(Math.abs(result[0]! - 0.25) < 1e-10, `${shift}: ${result}`)
    t.true(Math.abs(logSumExp([shift, shift + Math.log(3)]) - (shift + Math.log(4))) < 1e-9, `${shift}`)
  }
  t.deepEqual([...softmax([0, 1e5])], [0, 1])
})

test('equal logits share evenly, and a single one has all', (t) => {
  t.deepEqual([...softmax(new Float32Array(4))], [0.25, 0.25, 0.25, 0.25])
  t.deepEqual([...softmax([-7])], [1])
})
