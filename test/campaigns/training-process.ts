// A process that trains, for campaigns to kill: its one argument is options in JSON.
import { datasets, type TrainOptions, train } from '../../lib/index.js'

const options = JSON.parse(process.argv[2]!) as Partial<TrainOptions> & { output: string }
const { model } = await train({
  data: datasets.synthetic({ count: 63, seed: 5 }),
  epochs: 3,
  batchSize: 9,
  imageSize: 48,
  seed: 3,
  checkpointMinutes: 1 / 600,
  resume: true,
  ...options,
})
model.dispose()
