/** Runs test files of a copy with vitest and says which held, which failed, and which could not even be loaded. */
import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'

export interface TestRun {
  /** Files of which every test held, relative to the copy. */
  readonly held: readonly string[]
  /** `file > test` of each that failed. */
  readonly failed: readonly string[]
  /** Files that could not be loaded: nothing in them ran. */
  readonly unloadable: readonly string[]
  readonly timedOut: boolean
  /** The end of what vitest printed, for when there is nothing else to tell. */
  readonly output: string
}

export interface TestOptions {
  readonly workers: number
  /** Stop at the first failure. */
  readonly bail: boolean
  readonly timeoutMs: number
}

interface Report {
  readonly testResults: readonly {
    readonly name: string
    readonly status: string
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[]
  }[]
}

const keptOutput = 4000
let running: ReturnType<typeof spawn> | undefined
process.once('exit', stopTests)

/** Ends the tests that run now, with every process they started. */
export function stopTests(): void {
  if (running?.pid === undefined || running.exitCode !== null) return
  try {
    process.kill(-running.pid, 'SIGKILL')
  } catch {
    // Already gone.
  }
}

export async function runTests(root: string, tests: readonly string[], { workers, bail, timeoutMs }: TestOptions): Promise<TestRun> {
  const results = join(root, 'mutant-results.json')
  rmSync(results, { force: true })
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const options = ['--reporter=json', `--outputFile.json=${results}`, `--maxWorkers=${workers}`, ...(bail ? ['--bail=1'] : [])]
  // A process group of its own, so that a hanging test and the gateways it started go together.
  const child = spawn(process.execPath, [vitest, 'run', ...options, ...tests], {
    cwd: root,
    env: { ...process.env, TURNWARD_SLOW_TESTS: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running = child
  let output = ''
  const keep = (text: Buffer): void => void (output = (output + text.toString('utf8')).slice(-keptOutput))
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  let timedOut = false
  const deadline = setTimeout(() => {
    timedOut = true
    stopTests()
  }, timeoutMs)
  await new Promise<void>((resolve, reject) => child.once('close', () => resolve()).once('error', reject))
  clearTimeout(deadline)
  return { ...readReport(results, root), timedOut, output }
}

function readReport(path: string, root: string): Pick<TestRun, 'held' | 'failed' | 'unloadable'> {
  let report: Report
  try {
    report = JSON.parse(readFileSync(path, 'utf8')) as Report
  } catch {
    return { held: [], failed: [], unloadable: [] }
  }
  const files = report.testResults.map((file) => ({ ...file, path: relative(root, file.name) }))
  return {
    held: files.filter(({ status }) => status === 'passed').map(({ path: file }) => file),
    failed: files.flatMap((file) => failuresOf(file)),
    unloadable: files
      .filter(({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0)
      .map(({ path: file }) => file),
  }
}

function failuresOf(file: Report['testResults'][number] & { readonly path: string }): string[] {
  const failed = file.assertionResults.filter(({ status }) => status === 'failed').map(({ fullName }) => `${file.path} > ${fullName}`)
  // A hook that fails leaves its tests skipped: that is a failure too.
  return failed.length === 0 && file.status === 'failed' && file.assertionResults.length > 0 ? [`${file.path} > (a hook)`] : failed
}
