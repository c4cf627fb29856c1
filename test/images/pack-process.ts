// A process that packs faces and says how many are done, for tests to kill: its arguments are a folder and a behaviour.
import { pack } from '../../lib/images/pack.js'
import { countedFaces, options } from './pack-faces.js'

const [folder, behaviour] = process.argv.slice(2)
const awake = setInterval(() => {}, 1000)
const { split } = countedFaces(JSON.parse(behaviour!))
await pack(split, { ...options, folder: folder!, onProgress: (done) => console.log(done) })
clearInterval(awake)
