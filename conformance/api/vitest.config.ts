/** `npm run api`: whatever the document of the administration API lets a client send is answered as the document says. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['conformance/api/**/*.slow.ts'],
    testTimeout: 900_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 1,
    reporters: ['verbose'],
  },
})
