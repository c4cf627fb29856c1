import type { Command } from 'commander'
import type { Report, Row } from '../bench/report.js'
import { type SuiteName, suiteNames } from '../bench/suites.js'
import { oneOf } from '../options/check.js'
import { jsonFlag, textFlag, withDefault } from './flags.js'
import { interruptible } from './interrupt.js'
import { complain, print, printJson } from './output.js'
import { Progress } from './progress.js'
import { facts, percent, table } from './table.js'

interface BenchFlags {
  readonly quick?: true
  readonly python?: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch bench
  $ fer-torch bench predict arm --json
  $ fer-torch bench --quick

Measures this package and, where they are installed, onnxruntime-node and PyTorch (eager, in Python): in turn, each in a
process of its own, with as many threads. All of it takes some minutes; the machine should do nothing else.
Values are medians; ratio is how many times as good ours is; spread is the interquartile range over the median.
With --json: { machine, roof, rows: [{ name, precision, batch, ours, peer, peerVersion, unit, ratio, spread }] }.`

export function addBench(program: Command): void {
  const command = program.command('bench').description('measure this package and its peers on this machine')
  command.argument('[suite...]', `what to measure: ${suiteNames.join(', ')} (default: all)`)
  command
    .option('--quick', 'show only that everything runs: its figures mean nothing')
    .addOption(withDefault(textFlag('--python <file>', 'a Python that has torch'), '$PYTHON, else python3'))
    .addOption(jsonFlag())
  command.addHelpText('after', examples).action(runBench)
}

async function runBench(given: readonly string[], { json, ...flags }: BenchFlags): Promise<void> {
  const suites = given.map((name) => oneOf(suiteNames)(name, 'SUITE'))
  const report = await interruptible((signal) => measure({ ...flags, suites, signal }))
  if (json) printJson(report)
  else print(describe(report))
}

async function measure(options: {
  readonly suites: readonly SuiteName[]
  readonly signal: AbortSignal
  readonly quick?: true
  readonly python?: string
}): Promise<Report> {
  const { bench } = await import('../bench/bench.js')
  const progress = new Progress()
  const { suites, ...rest } = options
  try {
    return await bench({
      ...rest,
      ...(suites.length > 0 ? { suites } : {}),
      onNote: complain,
      onProgress: (label, done, total) => progress.bar(label, done, total),
    })
  } finally {
    progress.end()
  }
}

function describe({ machine, roof, rows }: Report): string {
  const { unit, ...rates } = roof
  const roofs = Object.entries(rates).map(([precision, rate]) => `${precision} ${rate.toFixed(0)} ${unit}`)
  const versions = new Set(rows.flatMap(({ peerVersion }) => peerVersion ?? []))
  return [
    table([headings, ...rows.map(cells)], [0, 1]),
    facts({
      processor: `${machine.processor}, ${machine.threads} threads (${machine.features.join(', ')})`,
      'best matrix product': roofs.join(', ') || 'not measured',
      peers: [...versions].join('; ') || 'none',
      'fer-torch': `${machine.ferTorch}, LibTorch ${machine.libTorch}, Node ${machine.node}`,
    }),
  ].join('\n\n')
}

const headings = ['', 'precision', 'batch', 'ours', 'peer', '', 'ratio', 'spread']

const cells = ({ name, precision, batch, ours, peer, unit, ratio, spread }: Row): string[] => [
  name,
  precision,
  String(batch),
  rounded(ours),
  peer === null ? '-' : rounded(peer),
  unit,
  ratio === null ? '-' : ratio.toFixed(2),
  percent(spread),
]

/** Three digits tell what a spread of some percent leaves true. */
const rounded = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3))
