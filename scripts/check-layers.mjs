// Checks that no file imports from a layer above its own, and that each boundary has its one door. `npm run lint`.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

// From the top down: a file may import from its own layer and those below it. The first matching row counts.
const typescript = [
  ['cli', /^lib\/cli\//],
  ['bench', /^lib\/bench\//],
  ['index', /^lib\/(index|ops)\.ts$/],
  ['verbs', /^lib\/(train|predict|evaluate|robustness)\.ts$/],
  ['training', /^lib\/training\//],
  ['model', /^lib\/(model\.ts$|model\/)/],
  ['parts', /^lib\/(options|datasets|images|metrics|onnx|report)\//],
  ['native', /^lib\/((calls|files|native|safetensors|tensor)\.ts$|weights\/)/],
  ['loading', /^lib\/loading\//],
  ['catalog', /^lib\/(catalog|errors|version)\.ts$/],
]

const native = [
  ['bindings', /^native\/bindings\//],
  ['training', /^native\/(training|inference)\//],
  ['parts', /^native\/(data|io|optim|losses)\//],
  ['models', /^native\/models\//],
  ['ops', /^native\/ops\//],
  ['core', /^native\/(core|loader)\//],
]

/** What only some files may mention. */
const doors = [
  { pattern: /node-gyp-build|fer_torch\.node/, files: /^lib\/loading\/addon\.ts$/, what: 'loads the addon' },
  { pattern: /#include <napi\.h>/, files: /^native\/bindings\//, what: 'includes napi.h' },
  {
    pattern: /#include <(cuda|cudnn|ATen\/cuda|c10\/cuda)/,
    files: /(_cuda\.cu|\.cuh|^native\/core\/device\.\w+)$/,
    what: 'includes CUDA',
  },
]

const problems = [
  ...check('lib', typescript, /(?:from|import\()\s*'(\.[^']+)'/g, (file, target) =>
    normalize(join(dirname(file), target)).replace(/\.js$/, '.ts'),
  ),
  ...check('native', native, /#include "([^"]+)"/g, (_, target) => join('native', target)),
  ...[...filesUnder('lib'), ...filesUnder('native')].flatMap(checkDoors),
]

for (const problem of problems) console.error(problem)
console.log(problems.length === 0 ? 'layers: in order' : `layers: ${problems.length} out of order`)
process.exitCode = problems.length === 0 ? 0 : 1

function check(folder, layers, pattern, resolve) {
  const layerOf = (file) => layers.findIndex(([, files]) => files.test(file))
  return filesUnder(folder).flatMap((file) => {
    const own = layerOf(file)
    if (own < 0)
      return folder === 'native' && dirname(file) === 'native' ? [] : [`${file}: belongs to no layer`]
    return [...read(file).matchAll(pattern)]
      .map(([, target]) => resolve(file, target))
      .filter((target) => layerOf(target) >= 0 && layerOf(target) < own)
      .map(
        (target) =>
          `${file} (${layers[own][0]}) imports ${target} (${layers[layerOf(target)][0]}), which is above it`,
      )
  })
}

function checkDoors(file) {
  return doors
    .filter(({ pattern, files }) => pattern.test(read(file)) && !files.test(file))
    .map(({ what }) => `${file}: ${what}, which is not its place`)
}

function read(file) {
  return readFileSync(join(root, file), 'utf8')
}

function filesUnder(folder) {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)))
}
