import type { Command } from 'commander'
import { plain } from '../errors.js'
import type { ComparedRun, Comparison } from '../report/compare/comparison.js'
import { shown } from '../report/fields.js'
import { jsonFlag, readText, textFlag } from './flags.js'
import { complain, print, printJson } from './output.js'
import { percent, table } from './table.js'

interface CompareFlags {
  readonly output?: string
  readonly json?: true
}

const examples = `
Examples:
  $ fer-torch compare runs/first runs/second
  $ fer-torch compare runs/* --output compare.html
  $ fer-torch compare runs/first runs/second --json

Reads log.jsonl and metrics.json of each run, which may still go on. What the runs were begun with is listed where it
differs. --output writes a page with the curves of all, in one file.
With --json: { differing, validatedAlike, runs: [{ folder, ended, epochs, best: { epoch, loss, accuracy, weights, nll, ece,
interval }, minutes, imagesPerSecond, begun }] }, every rate a fraction from 0 to 1; what a run did not write down is absent.`

export function addCompare(program: Command): void {
  const command = program.command('compare').description('lay training runs side by side')
  command.argument('<run...>', 'folders that train wrote', (text: string, before: readonly string[] = []) => [
    ...before,
    readText(text, 'RUN'),
  ])
  command.addOption(textFlag('--output <file>', 'an HTML page to write')).addOption(jsonFlag())
  command.addHelpText('after', examples).action(runCompare)
}

async function runCompare(folders: readonly string[], { output, json }: CompareFlags): Promise<void> {
  const { compareRuns } = await import('../report/compare/comparison.js')
  const comparison = await compareRuns(folders)
  if (!comparison.validatedAlike)
    complain(
      'warning: these runs may have been validated on different faces: their accuracies then say nothing of one another',
    )
  if (json) printJson(asJson(comparison))
  else print(describe(comparison))
  if (output !== undefined) await writePage(comparison, output)
}

async function writePage(comparison: Comparison, output: string): Promise<void> {
  const [{ renderComparison }, { writeAtomically }] = await Promise.all([
    import('../report/compare/page.js'),
    import('../files.js'),
  ])
  await writeAtomically(output, renderComparison(comparison))
}

const asJson = ({ runs, differing, validatedAlike }: Comparison) => ({
  differing,
  validatedAlike,
  runs: runs.map(({ epochs, begun, label: _, ...run }) => ({
    ...run,
    epochs: epochs.length,
    begun: Object.fromEntries(differing.map((name) => [name, begun.get(name)])),
  })),
})

function describe({ runs, differing }: Comparison): string {
  const rows = [...Object.entries(results), ...differing.map((name) => [name, optionNamed(name)] as const)]
  return table([
    ['', ...runs.map(({ label }) => plain(label, longestPath))],
    ...rows.map(([label, read]) => [plain(label), ...runs.map((run) => read(run) ?? '-')]),
  ])
}

/** In characters: none that a file system takes is cut. */
const longestPath = 4096

type Reading = (run: ComparedRun) => string | undefined

const results: Readonly<Record<string, Reading>> = {
  epochs: ({ epochs, ended }) => `${epochs.length}${ended ? '' : ', not ended'}`,
  'best epoch': ({ best }) => best && `${best.epoch}${best.weights === 'averaged' ? ', average' : ''}`,
  'validation accuracy': ({ best }) => best && percent(best.accuracy),
  '95 % interval': ({ best }) =>
    best?.interval && `${percent(best.interval[0])} to ${percent(best.interval[1])}`,
  'negative log-likelihood': ({ best }) => best?.nll?.toFixed(3),
  'calibration error': ({ best }) => (best?.ece === undefined ? undefined : percent(best.ece)),
  minutes: ({ minutes }) => minutes?.toFixed(1),
  'images/s': ({ imagesPerSecond }) => imagesPerSecond?.toFixed(0),
}

const optionNamed =
  (name: string): Reading =>
  ({ begun }) => {
    const value = begun.get(name)
    return value === undefined ? undefined : shortened(plain(shown(value), longestPath))
  }

/** Of a long text, such as a path, both ends. */
const shortened = (text: string): string =>
  text.length > 40 ? `${text.slice(0, 12)}...${text.slice(-25)}` : text
