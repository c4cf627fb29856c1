// Feeds the readers of foreign files with inputs that libFuzzer makes, guided by which branches they reach.
// npm run fuzz -- [--seconds N] [--keep] [TARGET...]
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'

const root = fileURLToPath(new URL('..', import.meta.url))
const targetFolder = join(root, 'test', 'fuzz')
const suffix = '.fuzz.mjs'
const jazzer = createRequire(import.meta.url)
  .resolve('@jazzer.js/core')
  .replace(/core\.js$/, 'cli.js')
// Ours, and yauzl, since ours acts on what it finds in an archive. Of csv-parse ours sees rows alone, and it becomes
// two and a half times slower by counting.
const instrumented = [join(root, 'lib/'), 'node_modules/yauzl/']
const slowest = 5000 // milliseconds an input
const largest = 1024 // MiB of memory, of which Node and the fuzzer take some 200

process.exitCode = main()

function main() {
  const { seconds, keep, targets } = readArguments()
  const results = targets.map((target) => fuzz(target, seconds))
  const findings = results.filter(({ failed }) => failed)
  if (keep) for (const { target, failed } of results) if (!failed) keepNewInputs(target)
  const runs = results.reduce((sum, { runs }) => sum + runs, 0)
  console.log(
    `fuzz: ${runs} runs of ${count(targets.length, 'target')}, ${count(findings.length, 'finding')}`,
  )
  return findings.length === 0 ? 0 : 1
}

function readArguments() {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '20' }, keep: { type: 'boolean', default: false } },
    allowPositionals: true,
  })
  const seconds = Number(values.seconds)
  if (!(Number.isInteger(seconds) && seconds > 0))
    throw new Error(`Expected --seconds to be a whole number from 1, got ${values.seconds}`)
  const known = readdirSync(targetFolder)
    .filter((name) => name.endsWith(suffix))
    .map((name) => name.slice(0, -suffix.length))
  const stranger = positionals.find((target) => !known.includes(target))
  if (stranger) throw new Error(`No target \`${stranger}\`: there are ${known.join(', ')}`)
  return { seconds, keep: values.keep, targets: positionals.length > 0 ? positionals : known }
}

function fuzz(target, seconds) {
  const { corpus, fresh, cache } = foldersOf(target)
  const { status, output } = run(
    target,
    [fresh, corpus],
    [`-max_total_time=${seconds}`, `-artifact_prefix=${cache}/`],
  )
  writeFileSync(join(cache, 'log'), output)
  const numbers = measured(output)
  const failed = status !== 0 || numbers.features === 0
  console.log(`${target.padEnd(12)} ${wording(numbers)}`)
  if (status !== 0) reportFinding(cache, output)
  else if (failed) console.log('  no branch counted: the code is not instrumented, or has none')
  return { target, failed, runs: numbers.runs }
}

/** The last line of progress, such as `#26690 DONE cov: 34 ft: 40 corp: 10/824b lim: 334`. */
function measured(output) {
  const progress = [...output.matchAll(/^#(\d+)\s+\w+\s+cov: (\d+) ft: (\d+) corp: (\d+)\//gm)]
  const numbers = (line) => (line ?? []).slice(1).map(Number)
  const [, edgesAtFirst = 0] = numbers(progress.at(0))
  const [runs = 0, edges = 0, features = 0, inputs = 0] = numbers(progress.at(-1))
  return { runs, edges, edgesAtFirst, features, inputs }
}

function wording({ runs, edges, edgesAtFirst, features, inputs }) {
  return `${runs} runs, ${inputs} inputs, ${features} features, ${edges} branches, ${edgesAtFirst} of them at first`
}

function reportFinding(cache, output) {
  for (const line of complaint(output)) console.log(`  ${line}`)
  const input = /Test unit written to (.*)/.exec(output)?.[1]
  if (input) console.log(`  found by ${relative(root, input)}`)
  console.log(`  the whole log is ${relative(root, join(cache, 'log'))}`)
}

/** What stands between the last line of progress and libFuzzer's dump of the input. */
function complaint(output) {
  const lines = output.split('\n')
  const begin = lines.findLastIndex((line) => /^(#\d|INFO:)/.test(line)) + 1
  const end = lines.findIndex((line, at) => at >= begin && /^(MS:|SUMMARY:)/.test(line))
  return lines.slice(begin, end < 0 ? undefined : end).slice(0, 8)
}

/** Adds to the corpus the inputs that reach a branch which it does not reach yet. */
function keepNewInputs(target) {
  const { corpus, fresh } = foldersOf(target)
  const before = readdirSync(corpus).length
  // Without counters, so that not every number of rounds of a loop asks for an input of its own.
  const { status, output } = run(target, [corpus, fresh], ['-merge=1', '-use_counters=0'])
  if (status !== 0) throw new Error(`Cannot merge the new inputs of ${target}:\n${output.slice(-2000)}`)
  const files = readdirSync(corpus).map((name) => statSync(join(corpus, name)).size)
  const size = files.reduce((sum, size) => sum + size, 0)
  console.log(
    `${target.padEnd(12)} kept ${count(files.length - before, 'input')}; the corpus has ${size} bytes`,
  )
}

function foldersOf(target) {
  const cache = join(root, '.cache', 'fuzz', target)
  const folders = { cache, fresh: join(cache, 'inputs'), corpus: join(targetFolder, 'corpus', target) }
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true })
  return folders
}

function run(target, folders, flags) {
  const dictionary = join(targetFolder, `${target}.dict`)
  const preloads = ['tsx', pathToFileURL(join(root, 'scripts', 'fuzz-glibc.mjs')).href]
  const { status, stderr, error } = spawnSync(
    process.execPath,
    [
      jazzer,
      join(targetFolder, target + suffix),
      ...folders,
      ...instrumented.flatMap((part) => ['-i', part]),
      `--timeout=${slowest}`,
      '--',
      `-rss_limit_mb=${largest}`,
      ...(existsSync(dictionary) ? [`-dict=${dictionary}`] : []),
      ...flags,
    ],
    {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: Number.POSITIVE_INFINITY,
      env: { ...process.env, NODE_OPTIONS: preloads.map((preload) => `--import=${preload}`).join(' ') },
    },
  )
  if (error) throw error
  return { status, output: stderr }
}

function count(number, unit) {
  return `${number} ${unit}${number === 1 ? '' : 's'}`
}
