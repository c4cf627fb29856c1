import test from 'ava'
import { FerError } from '../../lib/errors.js'
import { type PickleValue, type StoredDType, StoredTensor } from '../../lib/weights/pth.js'
import { weightsIn } from '../../lib/weights/state-dict.js'

const tensor = (shape: number[] = [2], dtype: StoredDType = 'float32') =>
  new StoredTensor(
    dtype,
    shape,
    shape.map(() => 1),
    64,
  )
const dict = (...names: string[]) => new Map<string, PickleValue>(names.map((name) => [name, tensor()]))
const namesIn = (value: PickleValue) => weightsIn(value, 'some.pth').map(({ name }) => name)

test("the official code's children of a ResNet get torchvision's names", (t) => {
  const official = dict(
    'features.0.weight',
    'features.1.bias',
    'features.4.0.conv1.weight',
    'features.7.1.bn2.weight',
    'arm.bn.weight',
    'fc.weight',
  )
  t.deepEqual(namesIn(official), [
    'conv1.weight',
    'bn1.bias',
    'layer1.0.conv1.weight',
    'layer4.1.bn2.weight',
    'arm.bn.weight',
    'fc.weight',
  ])
})

test('weights are found under the usual keys, and beside other things', (t) => {
  for (const key of ['model_state_dict', 'state_dict', 'model', 'net', 'weights']) {
    const wrapped = new Map<string, PickleValue>([
      ['epoch', 3],
      ['optimizer', new Map([['state', new Map()]])],
      [key, dict('fc.bias')],
    ])
    t.deepEqual(namesIn(wrapped), ['fc.bias'], key)
  }
  const bare = dict('fc.bias')
  bare.set('epoch', 3)
  t.deepEqual(namesIn(bare), ['fc.bias'])
})

test('prefixes go where every name has them, and only there', (t) => {
  t.deepEqual(namesIn(dict('module.model.conv1.weight', 'module.model.fc.bias')), ['conv1.weight', 'fc.bias'])
  t.deepEqual(namesIn(dict('_orig_mod.features.0.weight')), ['conv1.weight'])
  t.deepEqual(namesIn(dict('backbone.conv1.weight', 'fc.bias')), ['backbone.conv1.weight', 'fc.bias'])
})

test('an alpha that is a number alone becomes an array of one', (t) => {
  const [alpha] = weightsIn(new Map([['arm.alpha', tensor([])]]), 'some.pth')
  t.deepEqual([alpha!.shape, alpha!.strides], [[1], [1]])
})

test('a checkpoint without weights, or with weights of another kind of number, is refused', (t) => {
  for (const empty of [
    new Map([['epoch', 3]]),
    [],
    null,
    'text',
    new Map<number, PickleValue>([[1, tensor()]]),
  ]) {
    const error = t.throws(() => weightsIn(empty, 'some.pth'), { instanceOf: FerError })
    t.regex(error!.message, /`some\.pth`.*holds no weights\. Save the `state_dict\(\)`/)
  }
  const error = t.throws(() => weightsIn(new Map([['mask', tensor([2], 'bool')]]), 'some.pth'), {
    instanceOf: FerError,
  })
  t.regex(error!.message, /`mask` is of type bool/)
})
