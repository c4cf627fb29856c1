// What pictures take beside their own memory: `node memory.js MODEL VIEWS`.
import { Model, predict } from '../../index.js'
import { peakMemory } from '../peak-memory.js'

const [path, views] = process.argv.slice(2) as [string, string]
await using model = await Model.load(path)
const { imageSize } = model.info
const area = imageSize * imageSize * 3
const shape = (count: number) => [count, imageSize, imageSize, 3]
await predict({ dtype: 'uint8', shape: shape(1), data: new Uint8Array(area).fill(100) }, { model })
const loaded = process.memoryUsage.rss()

// Filled: pages that nobody has written to are not in memory yet.
const data = new Uint8Array(Number(views) * area).fill(100)
const filled = process.memoryUsage.rss()
await predict({ dtype: 'uint8', shape: shape(Number(views)), data }, { model })
// The peak of the whole process, which the pictures' own memory has raised above all that was before.
const peak = await peakMemory()
process.stdout.write(`${JSON.stringify({ loaded, growth: Math.max(0, peak - filled) })}\n`)
