// From nothing to the first answer: `node cold-start.js MODEL`. Imports nothing before its clock is read.
const node = performance.now()
const { Model, predict } = await import('../../index.js')
const imported = performance.now()
const model = await Model.load(process.argv[2]!)
const loaded = performance.now()
const { imageSize } = model.info
const data = new Uint8Array(imageSize * imageSize * 3).fill(100)
await predict({ data, width: imageSize, height: imageSize, channels: 3 }, { model })
const answered = performance.now()
const phases = { node, import: imported - node, load: loaded - imported, predict: answered - loaded }
process.stdout.write(`${JSON.stringify(phases)}\n`)

export {}
