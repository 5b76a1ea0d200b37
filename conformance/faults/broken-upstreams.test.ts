/** Upstreams that break at a spread of bytes of a recorded answer. Every byte is `broken-upstreams.slow.ts`. */
import { expect, test } from 'vitest'
import { runBreaks } from './broken-upstream-suite.ts'
import { breaksEvery } from './broken-upstreams.ts'

test('wherever an upstream breaks, the client is told in its dialect, nothing hangs and nothing stays behind', async () => {
  const breaks = breaksEvery(211)
  expect(breaks.length).toBeGreaterThanOrEqual(500)
  expect((await runBreaks(breaks, { width: 16, warmUp: 150, toleranceMb: 10 })).calls).toBe(breaks.length)
}, 600_000)
