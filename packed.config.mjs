// `npm run pack:check`: ava's own settings, for the tests of the packed packages.
export default {
  files: ['test/packed/**/*.test.ts'],
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx'],
  workerThreads: false,
  serial: true,
  timeout: '10m',
}
