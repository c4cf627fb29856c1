// Measures this package beside its peers: `npm run bench`. Arguments go to `fer-torch bench`, such as `predict --json`.
// Installs onnxruntime-node into bench/, where nobody else gets it; PyTorch is that of the Python in PYTHON, of
// .cache/python (see `npm run test:reference`) or of the system, if it has one.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bench = join(root, 'bench')

// What is said meanwhile goes to stderr: stdout is for the report.
if (run(process.execPath, [join(root, 'scripts', 'prepare.mjs')], root, 2) !== 0) process.exit(1)
if (!existsSync(join(bench, 'node_modules'))) installPeers()
const status = run(process.execPath, [
  join(root, 'dist', 'cli', 'main.js'),
  'bench',
  ...process.argv.slice(2),
])
process.exitCode = status

/** Without the parts for other devices that its install script downloads: processors are what is compared. */
function installPeers() {
  const env = { ONNXRUNTIME_NODE_INSTALL: 'skip' }
  if (run('npm', ['install', '--no-package-lock', '--no-audit', '--no-fund'], bench, 2, env) === 0) return
  console.error('fer-torch: onnxruntime-node cannot be installed: going on without it')
}

function run(command, args, cwd = process.cwd(), stdout = 'inherit', env = {}) {
  const stdio = ['inherit', stdout, 'inherit']
  return spawnSync(command, args, { cwd, stdio, env: { ...process.env, ...env } }).status ?? 1
}
