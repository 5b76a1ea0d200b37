/** `npm run slow`: what `npm test` leaves out because it takes long. */
import { defineConfig } from 'vitest/config'
import { slowSuites } from './suites.ts'

export default defineConfig({
  test: {
    include: slowSuites,
    globalSetup: ['scripts/services/for-tests.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 90_000 } },
    pool: 'forks',
    maxWorkers: 2,
    reporters: ['verbose'],
  },
})
