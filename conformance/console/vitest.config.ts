/** `npm run console`: the console in a real browser, against a real gateway. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['conformance/console/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
