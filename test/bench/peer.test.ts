import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { Peer } from '../../lib/bench/peer.js'
import { finders } from '../../lib/bench/programs.js'
import { temporaryFolder } from '../temporary.js'

/** A peer of a few lines: `answer` makes the line for a request. */
const peerOf = (answer: string): Peer => {
  const code = `
    const lines = require('node:readline').createInterface(process.stdin)
    lines.on('line', (line) => { const request = JSON.parse(line); ${answer} })`
  return new Peer({ name: 'Other', command: process.execPath, args: ['--eval', code] })
}

test('a peer answers one request after another', async (t) => {
  await using peer = peerOf('console.log(JSON.stringify({ result: request.n * 2 }))')
  t.is(await peer.ask('double', { n: 3 }), 6)
  t.is(await peer.ask('double', { n: 4 }), 8)
})

test('an answer may come in pieces', async (t) => {
  const answer = `process.stdout.write('{"res'); setTimeout(() => process.stdout.write('ult":1}\\n'), 20)`
  await using peer = peerOf(answer)
  t.is(await peer.ask('anything'), 1)
})

test('what a peer refuses is an error that names it', async (t) => {
  await using peer = peerOf('console.log(JSON.stringify({ error: "load: no such file" }))')
  await t.throwsAsync(() => peer.ask('load'), { message: 'The peer Other failed: load: no such file' })
})

test('a peer that ends is an error that names it and says its last words, not a hang', async (t) => {
  await using peer = peerOf('console.error("out of memory"); process.exit(3)')
  const message = 'The peer Other failed: it ended (exit code 3): out of memory'
  await t.throwsAsync(() => peer.ask('run'), { message })
  await t.throwsAsync(() => peer.ask('run'), { message }, 'asked once more')
})

test('a peer that is killed is an error that names the signal', async (t) => {
  await using peer = peerOf('process.kill(process.pid, "SIGKILL")')
  await t.throwsAsync(() => peer.ask('run'), { message: 'The peer Other failed: it ended (SIGKILL)' })
})

test('a peer that cannot be started is an error that names it', async (t) => {
  await using peer = new Peer({ name: 'Other', command: '/no/such/program', args: [] })
  await t.throwsAsync(() => peer.ask('hello'), { message: /^The peer Other failed: .*ENOENT/ })
})

test('a peer that does not speak JSON is an error that quotes it', async (t) => {
  await using peer = peerOf('console.log("good morning")')
  await t.throwsAsync(() => peer.ask('hello'), {
    message: 'The peer Other failed: it answered `good morning`',
  })
})

test('a peer ends when it is disposed of', async (t) => {
  const peer = peerOf('console.log(JSON.stringify({ result: process.pid }))')
  const pid = await peer.ask<number>('hello')
  await peer[Symbol.asyncDispose]()
  t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

test('a peer that is not installed is not found, and one is told how to get it', async (t) => {
  const folder = await temporaryFolder(t)
  const runtime = await finders['onnxruntime-node']({ folders: [folder] })
  t.deepEqual(runtime, { missing: 'get it with `npm install onnxruntime-node`' })
  const python = await finders.PyTorch({ python: join(folder, 'python') })
  t.regex('missing' in python ? python.missing : '', /^none of .*python has torch: get it with `pip install/)
})

test('onnxruntime-node is taken from the first folder that has it', async (t) => {
  const folder = await temporaryFolder(t)
  const module = join(folder, 'node_modules', 'onnxruntime-node')
  await mkdir(module, { recursive: true })
  await writeFile(join(module, 'package.json'), '{ "main": "main.js" }')
  await writeFile(join(module, 'main.js'), '')
  const found = await finders['onnxruntime-node']({ folders: [join(folder, 'empty'), folder] })
  t.like(found, { program: { args: { 1: join(module, 'main.js') } } })
})
