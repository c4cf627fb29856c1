import { spawnSync } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { libTorchVersion } from '../../lib/loading/targets.js'
import { outputFolder } from '../trained.js'

const script = new URL('../../scripts/libtorch.mjs', import.meta.url).href

/** What locating LibTorch says with FER_TORCH_LIBTORCH set to a folder: the folder, or the error. */
function locate(folder: string, kind = 'cpu') {
  const code = `import(${JSON.stringify(script)}).then((m) => m.locateLibTorch('${kind}')).then(console.log, (e) => console.error(e.message))`
  const env = { ...process.env, FER_TORCH_LIBTORCH: folder }
  return spawnSync(process.execPath, ['--eval', code], { env, encoding: 'utf8' })
}

test('a folder named for LibTorch that is none is an error, and no other source is tried', (t) => {
  const { stdout, stderr } = locate('/nowhere')
  t.is(stdout, '')
  t.regex(stderr, /LibTorch 2\.13\.0 \(CPU\) was not found/)
  t.regex(stderr, /FER_TORCH_LIBTORCH: \/nowhere has no include/)
  t.regex(stderr, /FER_TORCH_LIBTORCH=\/path\/to\/libtorch npm install/)
  t.notRegex(stderr, /pip/)
})

test('a LibTorch of another version, or of CUDA, is refused by name', async (t) => {
  const folder = outputFolder()
  const put = async (file: string, text = '') => {
    await mkdir(join(folder, file, '..'), { recursive: true })
    await writeFile(join(folder, file), text)
  }
  await put('include/torch/headeronly/version.h', '#define TORCH_VERSION \\\n  "2.12.1"\n')
  for (const file of [
    'include/ATen/ATen.h',
    'share/cmake/Torch/TorchConfig.cmake',
    'lib/libtorch_cpu.so',
    'lib/libc10.so',
  ])
    await put(file)
  t.regex(locate(folder).stderr, /holds version 2\.12\.1, not 2\.13\.0/)
  await put('include/torch/headeronly/version.h', '#define TORCH_VERSION \\\n  "2.13.0"\n')
  t.is(locate(folder).stdout.trim(), folder)
  await put('lib/libtorch_cuda.so')
  t.regex(locate(folder).stderr, /is a CUDA build/)
  t.regex(locate(folder, 'cuda').stderr, /has no include\/c10\/cuda/)
  await put('include/c10/cuda/CUDAStream.h')
  t.regex(
    locate(folder, 'cuda').stderr,
    /LibTorch 2\.14\.1 \(CUDA\) was not found.*holds version 2\.13\.0, not 2\.14\.1/s,
  )
})

test('what is built against is what is loaded', async (t) => {
  const { builds } = await import(script)
  t.is(builds.cpu.version, libTorchVersion)
})
