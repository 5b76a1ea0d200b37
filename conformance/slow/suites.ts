/** Suites that take most of a minute each: `npm run slow` runs them, and `npm test` does not. */
export const slowSuites = [
  'conformance/cli/policy-drafts.test.ts',
  'conformance/cli/servers.test.ts',
  'conformance/mcp/absent-servers.test.ts',
  'conformance/replicas/killed-replica.test.ts',
  'conformance/replicas/moving.test.ts',
  'conformance/workers/endings.test.ts',
  'gateway/src/audit/postgres/faults.test.ts',
  'gateway/src/audit/postgres/several-writers.test.ts',
]
