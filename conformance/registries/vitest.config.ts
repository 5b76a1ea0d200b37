/** `npm run registries`: servers and clients as the registries have them today, installed for the run. One file after the other. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['conformance/registries/**/*.slow.ts'],
    testTimeout: 600_000,
    hookTimeout: 600_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
    reporters: ['verbose'],
    disableConsoleIntercept: true,
  },
})
