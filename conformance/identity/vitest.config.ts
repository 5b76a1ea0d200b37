/** `npm run identity`: what needs a real browser, identity providers of others, or long runs. One file after the other. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['conformance/identity/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
})
