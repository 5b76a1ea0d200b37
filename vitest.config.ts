import { spawnSync } from 'node:child_process'
import { defineConfig } from 'vitest/config'

/** Suites whose MCP servers run in the sandbox. */
const sandboxed = [
  'conformance/mcp/**',
  'conformance/agents/**',
  'conformance/cli/audit-verify.test.ts',
  'conformance/cli/running-gateway.test.ts',
  'conformance/faults/{hostile-children,killed-gateways,leaving-clients,secrets,unwritable-log}.test.ts',
]

const hasSandbox = spawnSync('bwrap', ['--unshare-all', '--ro-bind', '/', '/', 'true']).status === 0
if (!hasSandbox) console.error(`bubblewrap cannot make a sandbox here, so these suites are skipped:\n  ${sandboxed.join('\n  ')}`)

export default defineConfig({
  test: {
    include: [
      'contract/src/**/*.test.ts',
      'bench/**/*.test.ts',
      'gateway/src/**/*.test.ts',
      'scripts/**/*.test.ts',
      'conformance/**/*.test.ts',
    ],
    exclude: ['**/node_modules/**', ...(hasSandbox ? [] : sandboxed)],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
})
