/** `npm run faults`: the long part of the fault suites, one file after the other so that they do not disturb each other's measurements. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['conformance/faults/**/*.slow.ts'],
    testTimeout: 1_200_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
})
