import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'
import { slowSuites } from './conformance/slow/suites.ts'

/** Suites whose MCP servers run in the sandbox. */
const sandboxed = [
  'conformance/mcp/**',
  'conformance/agents/**',
  'conformance/replicas/**',
  'conformance/workers/children.test.ts',
  'conformance/cli/audit-verify.test.ts',
  'conformance/cli/{registry-documents,running-gateway,server-restarts,servers}.test.ts',
  'conformance/faults/ssrf/sandbox-egress.test.ts',
  'conformance/faults/{hostile-children,killed-gateways,leaving-clients,secrets,unwritable-log}.test.ts',
]

const hasSandbox = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true']).status === 0
if (!hasSandbox) console.error(`bubblewrap cannot make a sandbox here, so these suites are skipped:\n  ${sandboxed.join('\n  ')}`)

/** Rooms whose tests leave nothing behind in their process: no socket, no clock, no thread. Their files share one. Not the one that watches its collections. */
const pure = [
  'contract/src/**/*.test.ts',
  'gateway/src/core/!(garbage).test.ts',
  'gateway/src/{config,policy,wire}/**/*.test.ts',
  'gateway/src/turns/{naming,provenance}/**/*.test.ts',
  'scripts/**/*.test.ts',
]

/** Rooms whose tests close what they open: their files share processes too, and what they import is read once in each. */
const tidy = [
  'gateway/src/{http1,identity,models,providers,state,store,telemetry,cluster}/**/*.test.ts',
  'gateway/src/{admin,audit,cli,invariants,tools,turns}/**/*.test.ts',
]

/** Named by whoever wants all of them: a deliberate fault is noticed by any test. */
const leftOut = process.env['TURNWARD_SLOW_TESTS'] === '1' ? [] : slowSuites

export default defineConfig({
  test: {
    // What hangs fails, and nothing else: with much else to do a machine takes many times as long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000 } },
    pool: 'forks',
    maxWorkers: 3,
    projects: [
      { extends: true, test: { name: 'pure', include: pure, isolate: false } },
      {
        extends: true,
        test: {
          name: 'rooms',
          globalSetup: ['scripts/services/for-tests.ts'],
          include: tidy,
          exclude: ['**/node_modules/**', ...pure, ...leftOut],
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'parts',
          globalSetup: ['scripts/services/for-tests.ts'],
          include: ['bench/**/*.test.ts', 'gateway/src/**/*.test.ts', 'conformance/**/*.test.ts'],
          exclude: [
            '**/node_modules/**',
            'conformance/{identity,console}/**',
            ...pure,
            ...tidy,
            ...leftOut,
            ...(hasSandbox ? [] : sandboxed),
          ],
        },
      },
    ],
  },
})
