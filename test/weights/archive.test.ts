import test from 'ava'
import { StoredTensor } from '../../lib/weights/pth.js'
import { data, order, read, records, refused, state, withPickle } from './checkpoint.js'
import { zip, zip64Ending } from './zip-writer.js'

const damage = /Copy or download it anew$/

test('a good archive is read, and its tensor lies where its record does', async (t) => {
  const bytes = zip(records)
  const value = (await read(bytes)) as Map<string, StoredTensor>
  const offset = bytes.indexOf(data.data!)
  t.deepEqual([...value], [['weight', new StoredTensor('float32', [2], [1], offset)]])
})

test('an archive with a comment, and one that names no byte order, are read', async (t) => {
  const bytes = zip(records)
  const comment = Buffer.from('made by hand')
  bytes.writeUInt16LE(comment.length, bytes.length - 2)
  t.is(((await read(Buffer.concat([bytes, comment]))) as Map<string, unknown>).size, 1)
  t.is(((await read(zip([withPickle(state), data]))) as Map<string, unknown>).size, 1)
})

test('what is not a zip archive is refused', async (t) => {
  for (const text of ['', 'PK', '<!doctype html><html></html>'])
    await refused(t, read(Buffer.from(text)), /not a zip archive/, damage)
  await refused(t, read(Buffer.alloc(100_000)), /not a zip archive/)
})

test('an archive without the pickle is refused', async (t) => {
  await refused(t, read(zip([])), /no record `data.pkl`/)
  await refused(t, read(zip([data, order])), /no record `data.pkl`/)
})

test('a compressed record is refused, so that nothing is ever inflated', async (t) => {
  const bomb = { ...withPickle(Buffer.alloc(50_000_000)), compressed: true }
  await refused(t, read(zip([bomb, data])), /`archive\/data.pkl` is compressed/, /torch\.save\(torch\.load/)
  await refused(
    t,
    read(zip([records[0]!, { ...data, compressed: true }])),
    /`archive\/data\/0` is compressed/,
  )
})

test('an encrypted record is refused', async (t) => {
  // In yauzl's eyes an encrypted record is 12 bytes longer than its content, or its own error says so.
  await refused(t, read(zip([withPickle(state), { ...data, flags: 1 }])), /encrypted|size mismatch/)
  await refused(t, read(zip([{ ...withPickle(state), flags: 1, compressed: true }])), /encrypted/)
  await refused(t, read(zip([{ ...withPickle(state), flags: 0x41 }])), /strong encryption/)
})

test('two records of one name are refused', (t) =>
  refused(t, read(zip([...records, data])), /two records `data\/0`/, damage))

test('records outside the one folder are refused', async (t) => {
  const cases = ['other/data/1', 'data.pkl', '']
  for (const name of cases) await refused(t, read(zip([...records, { name }])), /not in one folder/)
  await refused(t, read(zip([{ name: 'data.pkl', data: state }])), /not in one folder/)
})

test('names that leave the folder are refused', async (t) => {
  const names = [
    'archive/../data/1',
    '../data/1',
    '/archive/data/1',
    'C:/data/1',
    'archive\\data\\1',
    'archive/..',
  ]
  for (const name of names)
    await refused(t, read(zip([...records, { name }])), /relative path|absolute path|invalid characters/)
})

test('what a name would do to a terminal stays out of the message', async (t) => {
  const name = `archive/\u001b[2J\u009b${'x'.repeat(500)}`
  await refused(
    t,
    read(zip([...records, { name, compressed: true }])),
    /`archive\/[^\p{C}]+\.\.\.` is compressed/u,
  )
})

test('records that overlap are refused', async (t) => {
  const twice = { name: 'archive/data/1', data: data.data!, claims: { begin: 0 } }
  await refused(t, read(zip([...records, twice])), /`archive\/data.pkl` and `archive\/data\/1` overlap/)
  const [first, ...rest] = records
  await refused(t, read(zip([{ ...first!, claims: { size: state.length + 1 } }, ...rest])), /overlap/)
})

test('records that reach beyond the file are refused', async (t) => {
  const [, ...rest] = records
  for (const size of [10_000, 0xfffffffe])
    await refused(
      t,
      read(zip([...rest, { ...withPickle(state), claims: { size } }])),
      /overflows file bounds/,
    )
  for (const begin of [10_000, 0xfffffffe])
    await refused(t, read(zip([...rest, { ...withPickle(state), claims: { begin } }])), /unexpected end/)
})

test('a directory of 64-bit places beyond every file is refused', async (t) => {
  const bytes = zip(records)
  for (const place of [0n, 1_000_000n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) {
    const claimed = Buffer.concat([bytes.subarray(0, -22), zip64Ending(place), bytes.subarray(-22)])
    await refused(t, read(claimed), /zip archive is damaged/)
  }
})

test('more records than a checkpoint has are refused before they are read', async (t) => {
  const ending = Buffer.alloc(56)
  ending.writeUInt32LE(0x06064b50)
  ending.writeBigUInt64LE(100_001n, 32)
  const bytes = Buffer.concat([ending, zip64Ending(0n), zip([]).subarray(-22)])
  await refused(t, read(bytes), /more than 100000 records/)
  await refused(t, read(zip(records, { count: 4 })), /zip archive is damaged/)
})

test('a byte order other than little is refused', async (t) => {
  const named = (text: string) => zip([withPickle(state), { ...order, data: Buffer.from(text) }, data])
  await refused(t, read(named('big')), /byte order is `big`/, /torch\.save\(torch\.load/)
  await refused(t, read(named('')), /byte order/)
  await refused(t, read(named('little'.repeat(1000))), /byte order/)
})

test('a TorchScript archive is named so, compressed or not', async (t) => {
  for (const name of ['archive/constants.pkl', 'archive/code/__torch__.py'])
    await refused(t, read(zip([...records, { name, compressed: true }])), /TorchScript/, /torch\.jit\.load/)
})

test('a pickle too large is refused before it is read', (t) =>
  refused(t, read(zip([withPickle(Buffer.alloc(2 ** 26 + 1))])), /67108865 bytes, more than 67108864/))
