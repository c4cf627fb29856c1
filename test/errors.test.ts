import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import {
  datasets,
  type ErrorCode,
  errorCodes,
  evaluate,
  FerError,
  Model,
  predict,
  type TrainOptions,
  train,
} from '../lib/index.js'
import { run as cli, packageWithoutAddon, remove } from './cli/run.js'
import { rewrite } from './safetensors-file.js'
import { outputFolder, smallModel, smallRun } from './trained.js'

let folder: string
let model: Model
const at = (name: string) => join(folder, name)

test.before(async () => {
  folder = outputFolder()
  model = await smallModel()
  await mkdir(at('faces/happy'), { recursive: true })
  await mkdir(at('odd/joyous'), { recursive: true })
  await mkdir(at('splits/train/happy'), { recursive: true })
  await cp('docs/face.jpg', at('splits/train/happy/1.jpg'))
  await writeFile(at('fer2013.csv'), 'emotion,pixels,Usage\n0,1 2 3,Training\n')
  await writeFile(at('broken.jpg'), 'no picture')
  await model.save(at('model.safetensors'))
  const withoutGeneric = (name: string) => (name === 'arm.generic' ? undefined : name)
  await rewrite(at('model.safetensors'), at('official.safetensors'), withoutGeneric)
})

const training = async (options: Partial<TrainOptions>) => await train({ ...smallRun(), ...options })
const begun = async () => {
  const options = smallRun()
  await train(options)
  return options
}
const pixels = { dtype: 'uint8', shape: [2, 48, 48, 1], data: new Uint8Array(2 * 48 * 48) } as const

/** A way into each error, as a user comes upon it, and what its message must tell. */
const ways: Readonly<Record<Exclude<ErrorCode, 'ERR_NATIVE_LOAD'>, [() => Promise<unknown>, RegExp]>> = {
  ERR_INVALID_OPTION: [
    () => training({ epochs: 0 }),
    /`epochs` to be an integer from 1 to 10000, got `0` \(number\)/,
  ],
  ERR_UNKNOWN_OPTION: [
    () => training({ learningRat: 1 } as object),
    /`learningRat` in options: did you mean `learningRate`/,
  ],
  ERR_DEVICE: [
    () => predict(pixels, { device: 'cuda:99' }),
    /`cuda:99` cannot be used: .*(npm run build:cuda|nvidia-smi|there is cuda:0)/,
  ],
  ERR_DATASET_NOT_FOUND: [
    () => training({ data: datasets.folder(at('nowhere')) }),
    /nowhere.*does not exist\. Check the path/,
  ],
  ERR_DATASET_EMPTY: [
    () => training({ data: datasets.folder(at('faces')) }),
    /No picture.*faces\/happy.*Add some/,
  ],
  ERR_UNKNOWN_SPLIT: [
    () => evaluate(model, datasets.folder(at('splits'))),
    /No split `test`.*it has `train`\. Choose/,
  ],
  ERR_UNKNOWN_CLASS: [
    () => training({ data: datasets.folder(at('odd')) }),
    /odd\/joyous.*not a known expression.*Rename it/,
  ],
  ERR_BAD_CSV: [
    () => training({ data: datasets.fer2013(at('fer2013.csv')) }),
    /fer2013\.csv`, line 2: it has 3 pixels instead of 2304\. Correct/,
  ],
  ERR_BAD_IMAGE: [
    () => predict(at('broken.jpg'), { model }),
    /broken\.jpg`: it is not a picture of a known format\. Remove it/,
  ],
  ERR_BAD_BOX: [
    () => predict('docs/face.jpg', { model, box: { left: 0, top: 0, width: 9999, height: 10 } }),
    /box.*`face\.jpg`, which is \d+ x \d+ pixels upright\. Clip it/,
  ],
  ERR_BAD_DATA: [
    () => training({ data: datasets.rafDb(at('raf')) }),
    /train_00001_aligned\.jpg` of line 1\. Unpack/,
  ],
  ERR_CLASS_MISMATCH: [
    async () => {
      const data = datasets.tensors({ pixels, labels: [0, 1], classes: ['happy', 'contempt'] })
      return evaluate(model, data)
    },
    /class contempt, which the model does not know.*Leave those pictures out/,
  ],
  ERR_IMAGE_SIZE: [
    () => training({ stem: 'standard', imageSize: 64 }),
    /`imageSize` to be at least 97.*Use that size, or a smaller stem/,
  ],
  ERR_MODEL_NOT_FOUND: [
    () => Model.load(at('none.safetensors')),
    /no model file `.*none\.safetensors`\. Train/,
  ],
  ERR_BAD_MODEL: [() => Model.load(at('fer2013.csv')), /fer2013\.csv` is not a safetensors file: .*\. Check/],
  ERR_UNCALIBRATED: [
    async () => predict('docs/face.jpg', { model: at('official.safetensors') }),
    /no running generic part.*`calibrate`.*`--affinity none`/,
  ],
  ERR_NOT_QUANTIZED: [
    async () =>
      predict('docs/face.jpg', {
        model: join((await begun()).output, 'best.safetensors'),
        precision: 'int8',
      }),
    /`int8` needs a quantised model.*`fer-torch quantize`/,
  ],
  ERR_OUTPUT_EXISTS: [async () => train(await begun()), /already holds a run.*`resume`/],
  ERR_RESUME: [
    async () => train({ ...(await begun()), resume: true, batchSize: 7 }),
    /begun otherwise: `batchSize` was 21, is 7\. Give what it was begun with/,
  ],
  ERR_OUTPUT: [
    () => model.save(join(at('broken.jpg'), 'x.safetensors')),
    /Cannot write `.*x\.safetensors`: .*\. Choose a folder/,
  ],
  ERR_DISPOSED: [
    async () => {
      const own = await Model.load(at('model.safetensors'))
      own.dispose()
      return predict('docs/face.jpg', { model: own })
    },
    /disposed of before this call\. Load it again/,
  ],
  ERR_DIVERGED: [
    () => training({ optimizer: 'sgd', learningRate: 100, epochs: 50 }),
    /step \d+.*lower `learningRate`.*`clipNorm`/,
  ],
  // A batch of 65,536 faces of 1024 x 1024 in float32 would take 824 GB, which no allocator promises.
  ERR_NATIVE: [
    () => {
      const labels = Array.from({ length: 70_000 }, (_, i) => i % 2)
      const dots = { dtype: 'uint8', shape: [70_000, 1, 1, 1], data: new Uint8Array(70_000) } as const
      const data = datasets.tensors({ pixels: dots, labels, classes: ['happy', 'sad'] })
      return training({ data, duplicates: 'keep', batchSize: 60_000, imageSize: 1024, head: 'gap' })
    },
    /too little memory.*Lower `batchSize`/,
  ],
}

for (const [code, [way, words]] of Object.entries(ways)) {
  test(`${code} tells what was wrong and what to do`, async (t) => {
    await mkdir(at('raf/EmoLabel'), { recursive: true })
    await writeFile(at('raf/EmoLabel/list_patition_label.txt'), 'train_00001.jpg 4\n')
    const error = await t.throwsAsync(way, { instanceOf: FerError })
    t.log(error!.message)
    t.is(error!.code, code as ErrorCode)
    t.regex(error!.message, words)
    t.notRegex(error!.message, /undefined|\[object|NaN|\.$/)
    t.true(error!.message.length < 600)
    t.true(/errors\.test\.ts|lib\//.test(error!.stack!), 'the stack leads to the call')
  })
}

test('ERR_NATIVE_LOAD tells where an addon was looked for, and what to do', async (t) => {
  const root = await packageWithoutAddon()
  t.teardown(() => remove(root))
  const { stderr, code } = await cli(['predict', '--model', 'x', 'y.jpg'], { root })
  t.is(code, 1)
  t.regex(
    stderr,
    /^fer-torch: fer-torch cannot load its addon: there is none for linux-x64 in .*`npx fer-torch build`[^\n]*\n$/,
  )
})

test('every code has its way into it here', (t) => {
  t.deepEqual([...Object.keys(ways), 'ERR_NATIVE_LOAD'].toSorted(), Object.keys(errorCodes).toSorted())
})
