import test from 'ava'
import { averaged, inTurn, median, quantile, type Side, spreadOf, timing } from '../../lib/bench/measure.js'
import { memoryRow, timeRow } from '../../lib/bench/report.js'

const pace = { rounds: 3, runs: 2, pause: 0 }

/** Gives the next of its times a run, and writes down when it was asked. */
function scripted(name: string, times: number[], log: string[]): Side {
  return {
    name,
    run: async (runs) => {
      log.push(name)
      return times.splice(0, runs)
    },
  }
}

test('sides are measured strictly in turn, after a round that does not count', async (t) => {
  const log: string[] = []
  const ours = scripted('ours', [900, 900, 1, 3, 2, 4, 3, 5], log)
  const peer = scripted('peer', [900, 900, 10, 10, 20, 20, 30, 30], log)
  const rounds: number[] = []
  const samples = await inTurn([ours, peer], pace, (done) => rounds.push(done))
  t.deepEqual(log, ['ours', 'peer', 'ours', 'peer', 'ours', 'peer', 'ours', 'peer'])
  t.deepEqual(samples.get(ours), [2, 3, 4], 'the median of each turn')
  t.deepEqual(samples.get(peer), [10, 20, 30])
  t.deepEqual(rounds, [0, 1, 2, 3])
})

test('a side never runs while another does', async (t) => {
  let running = 0
  const side = (name: string): Side => ({
    name,
    run: timing(async () => {
      t.is(++running, 1)
      await new Promise((resolve) => setTimeout(resolve, 1))
      running--
    }),
  })
  await inTurn([side('a'), side('b'), side('c')], pace)
  t.is(running, 0)
})

test('a side that fails ends the measurement with its error', async (t) => {
  const failing: Side = { name: 'peer', run: () => Promise.reject(new Error('it ended')) }
  await t.throwsAsync(inTurn([failing], pace), { message: 'it ended' })
})

test('timing gives the milliseconds of each run', async (t) => {
  const times = await timing(() => new Promise((resolve) => setTimeout(resolve, 20)))(3)
  t.is(times.length, 3)
  // Timers may come a millisecond early.
  t.true(times.every((time) => time > 18))
})

test('an averaged side gives one time a turn, the mean of its runs', async (t) => {
  const log: string[] = []
  const { name, run } = averaged(scripted('peer', [1, 2, 6, 5, 5, 5], log))
  t.is(name, 'peer')
  t.deepEqual(await run(3), [3], '(1 + 2 + 6) / 3')
  t.deepEqual(await run(3), [5])
})

test('median and quartiles are those of NumPy', (t) => {
  // numpy.quantile([7, 1, 3, 10], [0, 0.25, 0.5, 0.75, 1]) -> 1, 2.5, 5, 7.75, 10
  const expected = [1, 2.5, 5, 7.75, 10]
  t.deepEqual(
    [0, 0.25, 0.5, 0.75, 1].map((fraction) => quantile([7, 1, 3, 10], fraction)),
    expected,
  )
  t.is(median([3, 1, 2]), 2)
})

test('spread is the interquartile range over the median', (t) => {
  // (7.75 - 2.5) / 5
  t.is(spreadOf([7, 1, 3, 10]), 1.05)
  t.is(spreadOf([4]), 0)
  t.is(spreadOf([0, 0]), 0)
})

const measured = { name: 'predict vs x', precision: 'float32', batch: 1 }

test('a row of one picture is a latency, of which less is better', (t) => {
  const row = timeRow(measured, [10, 10, 10], { version: 'x 1.0, float32', samples: [15, 20, 25] })
  const spread = 5 / 20
  t.deepEqual(row, {
    ...measured,
    ours: 10,
    peer: 20,
    peerVersion: 'x 1.0, float32',
    unit: 'ms',
    ratio: 2,
    spread,
  })
})

test('a row of several is a throughput, of which more is better', (t) => {
  const row = timeRow({ ...measured, batch: 32 }, [160], { version: 'x', samples: [320] })
  t.is(row.unit, 'images/s')
  t.deepEqual([row.ours, row.peer, row.ratio], [200, 100, 2])
})

test('without a rival there is no ratio', (t) => {
  const row = memoryRow(measured, [100])
  t.deepEqual([row.unit, row.ours, row.peer, row.peerVersion, row.ratio], ['MB', 100, null, null, null])
})
