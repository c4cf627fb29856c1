import test from 'ava'
import { bench } from '../../lib/bench/bench.js'
import type { Report, Row } from '../../lib/bench/report.js'
import { suiteNames } from '../../lib/bench/suites.js'
import { run } from '../cli/run.js'
import { temporaryFolder } from '../temporary.js'

const fields = ['name', 'precision', 'batch', 'ours', 'peer', 'peerVersion', 'unit', 'ratio', 'spread']
const units = ['ms', 'images/s', 'MB']

function isRow(row: Row): string | undefined {
  const isNumber = (value: unknown, orNull = false) =>
    (orNull && value === null) || (Number.isFinite(value) && (value as number) >= 0)
  if (String(Object.keys(row).sort()) !== String([...fields].sort())) return 'its fields'
  if (!isNumber(row.ours) || !isNumber(row.spread) || !isNumber(row.batch)) return 'ours, spread or batch'
  if (!isNumber(row.peer, true) || !isNumber(row.ratio, true)) return 'peer or ratio'
  if ((row.peer === null) !== (row.peerVersion === null)) return 'a version without its peer'
  return units.includes(row.unit) ? undefined : 'its unit'
}

test('without peers every suite has its rows all the same, and a line says how to get each peer', async (t) => {
  const notes: string[] = []
  const folder = await temporaryFolder(t)
  const nobody = { folders: [folder], python: '/no/such/python' }
  const { machine, roof, rows } = await bench({ ...nobody, quick: true, onNote: (line) => notes.push(line) })
  t.deepEqual(
    notes.map((line) => line.split(':')[0]),
    ['no comparison with onnxruntime-node', 'no comparison with PyTorch'],
  )
  t.true(machine.threads > 0)
  t.is(roof.unit, 'GFLOP/s')
  for (const row of rows) t.is(isRow(row), undefined, row.name)
  const beginnings = ['predict', 'cold start', 'photograph', 'arm', 'train', 'resident', 'growth']
  for (const beginning of beginnings)
    t.true(
      rows.some(({ name }) => name.startsWith(beginning)),
      beginning,
    )
  const besideOurselves = ['photograph', 'train, JPEGs']
  const alone = rows.filter(({ name }) => !besideOurselves.some((beginning) => name.startsWith(beginning)))
  t.true(alone.every(({ peer, ratio }) => peer === null && ratio === null))
  const identities = rows.map(({ name, precision, batch }) => `${name}, ${precision}, ${batch}`)
  t.is(new Set(identities).size, rows.length, 'a row can be told from every other')
})

test('a run that is stopped rejects with the reason', async (t) => {
  const reason = new Error('enough')
  const signal = AbortSignal.abort(reason)
  const suites = ['photograph'] as const
  await t.throwsAsync(bench({ suites, quick: true, python: '/no/such/python', signal }), { is: reason })
})

test('bench --json prints one document, and notes on stderr', async (t) => {
  const { stdout, stderr, code } = await run(['bench', 'arm', '--quick', '--json', '--python', '/no/python'])
  t.is(code, 0, stderr)
  const report = JSON.parse(stdout) as Report
  t.deepEqual(Object.keys(report), ['machine', 'roof', 'rows'])
  t.true(report.rows.length > 0)
  t.regex(stderr, /^fer-torch: no comparison with PyTorch: none of \/no\/python has torch/m)
})

test('bench prints a table with its machine below', async (t) => {
  const { stdout, code } = await run(['bench', 'photograph', '--quick', '--python', '/no/python'])
  t.is(code, 0)
  t.regex(stdout, /precision +batch +ours +peer +ratio +spread\nphotograph 640 x 960/)
  t.regex(stdout, /^processor +\S.*threads/m)
})

test('a suite that is none is a usage error that names them', async (t) => {
  const { stderr, code } = await run(['bench', 'predcit'])
  t.is(code, 2)
  t.regex(stderr, new RegExp(`\`SUITE\` to be one of ${suiteNames.join(', ')} \\(did you mean \`predict\``))
})
