/** `npm run slow`: what `npm test` leaves out because it takes long. */
import { defineConfig } from 'vitest/config'
import { slowSuites } from './suites.ts'

export default defineConfig({
  test: {
    include: slowSuites,
    globalSetup: ['scripts/services/for-tests.ts'],
    // What hangs fails, and nothing else: with much else to do a machine takes ten times as long.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    expect: { poll: { timeout: 90_000 } },
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['verbose'],
  },
})
