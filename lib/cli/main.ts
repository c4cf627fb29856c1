#!/usr/bin/env node
import { Command } from 'commander'
import { version } from '../version.js'
import { addBench } from './bench.js'
import { addBuild } from './build.js'
import { addCalibrate } from './calibrate.js'
import { addCompare } from './compare.js'
import { addDemo } from './demo.js'
import { addDoctor } from './doctor.js'
import { addEvaluate } from './evaluate.js'
import { addExplain } from './explain.js'
import { addExport } from './export.js'
import { namingFlags } from './flags.js'
import { addInspect } from './inspect.js'
import { complain, ignoreClosedPipes, reportError } from './output.js'
import { addPredict } from './predict.js'
import { addQuantize } from './quantize.js'
import { addRobustness } from './robustness.js'
import { addTrain } from './train.js'

// The commands import the library, and with it the addon, only when they run: help must be fast, and there
// for those whose installation is broken.
const commands = [
  addDemo,
  addTrain,
  addCompare,
  addEvaluate,
  addRobustness,
  addPredict,
  addExplain,
  addCalibrate,
  addQuantize,
  addExport,
  addInspect,
  addBench,
  addDoctor,
  addBuild,
]

const examples = `
Examples:
  $ fer-torch demo
  $ fer-torch train --data folder:faces --output runs/faces
  $ fer-torch predict --model runs/faces/best.safetensors face.jpg
  $ fer-torch train --help

Exit codes: 0, 1 after a failure, 2 for a command line that cannot be read. FER_TORCH_DEBUG=1 shows stacks.`

await main()

async function main(): Promise<void> {
  ignoreClosedPipes()
  const program = makeProgram()
  let running: Command | undefined
  program.hook('preAction', (_, command) => {
    running = command
  })
  try {
    await program.parseAsync()
  } catch (error) {
    // Not process.exit, which would cut off what a pipe has not taken yet.
    process.exitCode = reportError(namingFlags(error, running))
  }
}

function makeProgram(): Command {
  const program = new Command('fer-torch')
    .description('Train and run facial-expression recognition.')
    .version(version, '-V, --version', 'print the version')
    .exitOverride()
    .addHelpText('after', examples)
  for (const add of commands) add(program)
  for (const command of program.commands) complainInOneLine(command, `fer-torch ${command.name()} --help`)
  return complainInOneLine(program, 'fer-torch --help')
}

function complainInOneLine(command: Command, help: string): Command {
  const outputError = (text: string) => complain(`${text.replace(/^error: /, '').trim()}; see ${help}`)
  return command.configureOutput({ outputError })
}
