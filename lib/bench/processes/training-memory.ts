// What a few steps take at their peak: `node training-memory.js IMAGE_SIZE BATCH PRECISION`.
import { Learner } from '../learner.js'
import { lessonInMemory } from '../lessons.js'
import { peakMemory } from '../peak-memory.js'

const [imageSize, batch, precision] = process.argv.slice(2) as [string, string, 'float32' | 'bfloat16']
const size = { imageSize: Number(imageSize), batch: Number(batch) }
using learner = await Learner.make(lessonInMemory(size, precision))
await learner.learn(3)
process.stdout.write(`${JSON.stringify({ peak: await peakMemory() })}\n`)
