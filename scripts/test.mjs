// `npm test`: installs what the tests need where it may, says what is missing where it may not, then runs the
// type check, the linter and every test, and ends with one line of counts.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const bin = join(import.meta.dirname, '../node_modules/.bin')
process.env.PATH = `${bin}:${process.env.PATH}`
process.chdir(join(import.meta.dirname, '..'))

const results = join(tmpdir(), `turnward-tests-${process.pid}.json`)
let passed = 0
let failed = 0
let skipped = 0

prepareMachine()
step('type check', 'tsc', ['--noEmit', '-p', 'tsconfig.json'])
step('type check of the console', 'tsc', ['--noEmit', '-p', 'console/tsconfig.json'])
step('lint', 'oxlint', ['--type-aware', '--quiet'])
step('format', 'oxfmt', ['--check', '.'])

const vitest = spawnSync(
  'vitest',
  ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${results}`, ...process.argv.slice(2)],
  { stdio: 'inherit' },
)
if (existsSync(results)) {
  const report = JSON.parse(readFileSync(results, 'utf8'))
  rmSync(results)
  passed += report.numPassedTests
  failed += report.numFailedTests
  skipped += report.numPendingTests + report.numTodoTests
  // A file that does not load has no tests to fail.
  failed += report.testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
}
if (vitest.status !== 0 && failed === 0) failed += 1

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed === 0 ? 0 : 1)

function step(name, command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' })
  if (status === 0) {
    passed += 1
    return
  }
  failed += 1
  console.error(`${name} failed${error === undefined ? '' : `: ${error.message}`}`)
}

function prepareMachine() {
  const runs = (program) => spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0
  const missing = [
    ['bubblewrap', runs('bwrap'), 'the sandbox and of MCP servers running in it'],
    ['util-linux', runs('prlimit'), 'the sandbox and of MCP servers running in it'],
    ['postgresql', existsSync('/usr/lib/postgresql'), 'PostgreSQL'],
    ['redis-server', runs('redis-server') || runs('valkey-server'), 'Redis'],
    ['haproxy', existsSync('/usr/sbin/haproxy'), 'the example with three replicas'],
    ['curl', runs('curl'), 'the example with three replicas'],
  ].filter(([, isThere]) => !isThere)
  if (missing.length === 0) return
  const packages = missing.map(([name]) => name)
  if (process.getuid?.() === 0) {
    // Only the programs are wanted: no server that starts by itself.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    const run = (...args) => spawnSync('apt-get', args, { stdio: 'inherit', env }).status === 0
    const install = () => run('install', '-y', '-qq', ...packages)
    if (install() || (run('update', '-qq') && install())) return
  }
  console.error(`Missing: ${packages.join(', ')}. Install with: apt-get install ${packages.join(' ')}`)
  for (const [, , tests] of missing) console.error(`Without it the tests of ${tests} are skipped.`)
}
