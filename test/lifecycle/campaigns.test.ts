import { readFile } from 'node:fs/promises'
import test from 'ava'
import { exitCampaign, terminateCampaign } from '../campaigns/lifecycle.js'
import { modelsCampaign, predictionsCampaign } from '../campaigns/memory.js'
import { outputFolder } from '../trained.js'

// The long forms are `npm run campaign`; their results stand in docs/reliability.md.

test('process.exit at a random moment of training and predicting ends the process with its code, in silence', async (t) => {
  t.deepEqual((await exitCampaign(3, 11)).failures, [])
})

test('workers that train and predict can be terminated at a random moment, two at once', async (t) => {
  t.deepEqual((await terminateCampaign(4, 11)).failures, [])
})

test('memory stays flat over predictions', async (t) => {
  const { growth } = await predictionsCampaign(500, outputFolder(), await readFile('docs/face.jpg'))
  // Over 10,000 it was 6 MB; a leak of one decoded picture in ten would be 40 MB here.
  t.true(growth < 30, `${growth} MB`)
})

for (const dispose of [true, false]) {
  test(`memory stays flat over models that are ${dispose ? 'disposed of' : 'only dropped'}`, async (t) => {
    const { growth } = await modelsCampaign(40, outputFolder(), dispose)
    // 32 models of 45 MB would be 1.4 GB; V8 collects dropped ones when they add up, not at once.
    t.true(growth < (dispose ? 100 : 500), `${growth} MB`)
  })
}
