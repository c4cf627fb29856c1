// `npm run pack`: builds, and packs what is published for this machine. Prints each tarball with its size.
//   node scripts/release/pack.mjs
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))

if (spawnSync('node', [join(root, 'scripts', 'prepare.mjs')], { stdio: 'inherit' }).status !== 0)
  process.exit(1)
const { makeLibTorchPackage, makeOwnPackage, packagesFolder, thisTarget } = await import('./packages.mjs')
const { makePrebuild } = await import('./prebuild.mjs')

if (existsSync(packagesFolder))
  for (const old of readdirSync(packagesFolder).filter((name) => name.endsWith('.tgz')))
    rmSync(join(packagesFolder, old))
makePrebuild()
for (const folder of [makeOwnPackage(), await makeLibTorchPackage(thisTarget())]) {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', packagesFolder], {
      cwd: folder,
      encoding: 'utf8',
    }),
  )
  const file = join(packagesFolder, packed.filename)
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1)
  console.log(`${file}: ${megabytes(statSync(file).size)} MB, ${megabytes(packed.unpackedSize)} MB unpacked`)
}
