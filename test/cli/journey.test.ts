import { existsSync } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import sharp from 'sharp'
import { type Ended, remove, run, temporaryFolder } from './run.js'

let folder: string
let trained: Ended
const at = (name: string): string => join(folder, name)
const model = (): string => at('run/best.safetensors')
const cli = (...args: string[]): Promise<Ended> => run(args, { env: { FER_TORCH_CACHE: at('cache') } })
const small = ['--data', 'synthetic:70', '--image-size', '48', '--batch-size', '32']

test.before(async () => {
  folder = await temporaryFolder()
  trained = await cli('train', ...small, '--output', at('run'), '--epochs', '1', '--json')
  for (const [name, level] of Object.entries({ dark: 30, light: 220 })) {
    const background = { r: level, g: level, b: level }
    const picture = sharp({ create: { width: 60, height: 50, channels: 3, background } })
    await picture.png().toFile(at(`${name}.png`))
  }
  await writeFile(at('empty.png'), '')
})
test.after.always(() => remove(folder))

test('train --json prints one document, and its progress on stderr in plain lines', (t) => {
  const { stdout, stderr, code } = trained
  t.is(code, 0, stderr)
  const result = JSON.parse(stdout)
  t.deepEqual(Object.keys(result), ['best', 'metrics', 'output'])
  t.is(result.best.path, model())
  t.is(result.best.epoch, 1)
  t.is(result.metrics.samples, 70) // synthetic:70 has 70 validation faces
  t.regex(stderr, /^epoch 1\/1: loss \d+\.\d+, validation accuracy .*\(best so far\)$/m)
  for (const control of ['\r', '\u001b']) t.false(stderr.includes(control))
  t.is(stderr.match(/^preparing faces \(train\): /gm)?.length, 10)
})

test('train refuses a folder that holds a run', async (t) => {
  const { stdout, stderr, code } = await cli('train', ...small, '--output', at('run'), '--json')
  t.deepEqual([stdout, code], ['', 1])
  t.regex(
    stderr,
    /^fer-torch: [^\n]*already holds a run \(best\.safetensors\)\. Go on with it with `--resume`[^\n]*\n$/,
  )
})

test('train --resume goes on with that run, and says so; without one it says that it begins', async (t) => {
  const again = await cli('train', ...small, '--output', at('run'), '--epochs', '1', '--resume', '--json')
  t.is(again.code, 0, again.stderr)
  t.regex(again.stderr, /^resuming after step 2 of 2, in epoch 1 of 1$/m)
  t.deepEqual(JSON.parse(again.stdout).best, JSON.parse(trained.stdout).best)
  const other = ['--output', at('fresh'), '--epochs', '1', '--resume', '--pretrained', model()]
  const fresh = await cli('train', ...small, ...other)
  t.regex(fresh.stderr, /^there is no checkpoint yet: starting from the beginning$/m)
  t.regex(fresh.stderr, /^\d+ tensors taken from .*best\.safetensors; not used: arm\.generic$/m)
  const changed = await cli('train', ...small, '--output', at('run'), '--seed', '9', '--resume')
  t.is(changed.code, 1)
  t.regex(changed.stderr, /`--seed` was 0, is 9/)
})

test('calibrate writes a model and says on what', async (t) => {
  const args = ['--model', model(), '--data', 'synthetic:70', '--output', at('calibrated.safetensors')]
  const { stdout, code, stderr } = await cli('calibrate', ...args, '--json')
  t.is(code, 0, stderr)
  t.deepEqual(JSON.parse(stdout), {
    model: at('calibrated.safetensors'),
    calibrated: { data: 'synthetic:70', split: 'train', faces: 70 },
  })
  const { stdout: inspected } = await cli('inspect', at('calibrated.safetensors'))
  t.regex(inspected, /^calibrated +data synthetic:70, split train, faces 70$/m)
})

test('quantize writes a model that int8 can be asked of, and says on what', async (t) => {
  const output = at('quantized.safetensors')
  const refused = await cli('predict', '--model', model(), '--precision', 'int8', at('dark.png'))
  t.deepEqual([refused.stdout, refused.code], ['', 1])
  t.regex(refused.stderr, /^fer-torch: [^\n]*`int8`[^\n]*`fer-torch quantize`[^\n]*\n$/)
  const args = ['--model', model(), '--data', 'synthetic:70', '--output', output]
  const { stdout, code, stderr } = await cli('quantize', ...args, '--faces', '20', '--json')
  t.is(code, 0, stderr)
  t.deepEqual(JSON.parse(stdout), {
    model: output,
    quantized: { data: 'synthetic:70', split: 'train', faces: 20 },
  })
  t.regex(stderr, /^quantizing: 20 of 20$/m)
  const { stdout: inspected } = await cli('inspect', output)
  t.regex(inspected, /^quantized +on 20 faces of train of synthetic:70$/m)
  const { stdout: answer } = await cli(
    'predict',
    '--model',
    output,
    '--precision',
    'int8',
    '--json',
    at('dark.png'),
  )
  t.is(JSON.parse(answer)[0].file, at('dark.png'))
  const evaluated = await cli('evaluate', '--model', output, '--data', 'synthetic:70', '--precision', 'int8')
  t.regex(evaluated.stdout, /^speed +\d+ images\/s \(cpu, precision int8, affinity ema\)$/m)
})

test('quantize for people says it in a line, and keeps half of each weight where asked', async (t) => {
  const output = at('halved.safetensors')
  const args = ['--model', model(), '--data', 'synthetic:70', '--output', output, '--split', 'validation']
  const { stdout } = await cli('quantize', ...args, '--dtype', 'bfloat16')
  t.is(stdout, `quantized on 70 faces (validation): ${output}\n`)
  const ratio = (await stat(output)).size / (await stat(model())).size
  t.true(ratio > 0.49 && ratio < 0.51, `${ratio}`)
})

test('export writes an ONNX file, and says what it takes and gives', async (t) => {
  const output = at('faces.onnx')
  const { stdout, code, stderr } = await cli('export', '--model', model(), '--output', output, '--json')
  t.is(code, 0, stderr)
  const { classes, ...rest } = JSON.parse(stdout)
  t.deepEqual(rest, { output, bytes: (await stat(output)).size, imageSize: 48 })
  t.is(classes.length, 7)
  const none = await cli('export', '--model', model(), '--output', output, '--affinity', 'none')
  t.regex(none.stdout, /^\S+faces\.onnx: \d+\.\d MB, 48 x 48 pixels to 7 classes\n$/)
})

test('inspect tells what was trained', async (t) => {
  const { stdout, code } = await cli('inspect', model(), '--json')
  t.is(code, 0)
  const info = JSON.parse(stdout)
  t.deepEqual([info.file, info.imageSize, info.head, info.classCount], [model(), 48, 'arm', 7])
  const forPeople = await cli('inspect', model())
  t.regex(forPeople.stdout, /^input +48 x 48 pixels, rgb$/m)
  t.regex(forPeople.stdout, /^data +synthetic:70$/m)
  t.notRegex(forPeople.stdout, /\[object|undefined/)
})

test('evaluate --json prints the evaluation', async (t) => {
  const { stdout, code } = await cli('evaluate', '--model', model(), '--data', 'synthetic:70', '--json')
  t.is(code, 0)
  const { samples, split, affinity, classes, confusion } = JSON.parse(stdout)
  t.deepEqual([samples, split, affinity, classes.length, confusion.length], [70, 'test', 'ema', 7, 7])
})

test('evaluate for people warns that affinity batch mixes the faces', async (t) => {
  const args = ['evaluate', '--model', model(), '--data', 'synthetic:70', '--split', 'validation']
  const plain = await cli(...args)
  t.is(plain.code, 0)
  t.regex(plain.stdout, /^accuracy +\d+\.\d %$/m)
  t.regex(plain.stdout, /^faces +70 \(validation\)$/m)
  t.notRegex(plain.stderr, /warning/)
  t.regex((await cli(...args, '--affinity', 'batch')).stderr, /^fer-torch: warning: with affinity `batch` /m)
})

test('predict keeps the order with bad files among good ones, and fails', async (t) => {
  const files = ['missing.png', 'dark.png', 'empty.png', 'light.png', 'dark.png'].map(at)
  const { stdout, stderr, code } = await cli('predict', '--model', model(), '--json', '--logits', ...files)
  t.is(code, 1)
  const answers = JSON.parse(stdout)
  t.deepEqual(
    answers.map(({ file }: { file: string }) => file),
    files,
  )
  t.deepEqual(Object.keys(answers[0]), ['file', 'error'])
  t.regex(answers[0].error, /missing\.png.* does not exist/)
  t.regex(answers[2].error, /empty\.png.* is empty/)
  t.is(answers[1].label, answers[4].label)
  t.true(Math.abs(answers[1].confidence - answers[4].confidence) < 5e-3) // what bfloat16 may differ by
  t.is(answers[1].logits.length, 7)
  t.is(answers[1].confidence, answers[1].probabilities[answers[1].label])
  t.regex(stderr, /^fer-torch: [^\n]*missing[^\n]*\nfer-torch: [^\n]*empty[^\n]*\n$/)
})

test('predict for people gives a line a file, without the bad ones', async (t) => {
  const { stdout, stderr, code } = await cli('predict', '--model', model(), at('dark.png'), at('empty.png'))
  t.is(code, 1)
  t.regex(stdout, /^\S+dark\.png {2}\w+ +\d+\.\d % {2}then \w+ \d+\.\d %\n$/)
  t.regex(stderr, /^fer-torch: [^\n]*empty\.png[^\n]*\n$/)
})

test('predict reads a box, and names the file that it does not fit', async (t) => {
  const box = (value: string) => cli('predict', '--model', model(), '--json', '--box', value, at('dark.png'))
  const inside = await box('10,10,40,40')
  t.is(inside.code, 0)
  t.false('logits' in JSON.parse(inside.stdout)[0])
  const outside = await box('30,10,40,40')
  t.is(outside.code, 1)
  t.regex(JSON.parse(outside.stdout)[0].error, /does not lie inside `dark\.png`, which is 60 x 50/)
})

test('a split that the data lack is a failure that lists those present', async (t) => {
  const { stderr, code } = await cli('evaluate', '--model', model(), '--data', `folder:${folder}`)
  t.is(code, 1)
  t.regex(stderr, /^fer-torch: [^\n]+\n$/)
})

test('an image size that the stem cannot use names the flag', async (t) => {
  const { stderr, code } = await cli('train', ...small, '--output', at('large-stem'), '--stem', 'standard')
  t.is(code, 2)
  t.regex(stderr, /^fer-torch: Expected `--image-size` to be at least \d+ with stem `standard`/m)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} ends train with one line that says where, after writing the weights`, async (t) => {
    const output = at(signal)
    let sent = false
    const { stdout, stderr, code } = await run(
      ['train', ...small, '--output', output, '--epochs', '99', '--json'],
      {
        env: { FER_TORCH_CACHE: at(`cache-${signal}`) },
        onStderr: (soFar, child) => {
          if (!sent && soFar.includes('epoch 1/99')) sent = child.kill(signal)
        },
      },
    )
    t.deepEqual([stdout, code], ['', 1])
    t.regex(stderr, /\nfer-torch: stopped at step [^\n]*last\.safetensors\n$/)
    t.true(existsSync(join(output, 'last.safetensors')))
  })
}
