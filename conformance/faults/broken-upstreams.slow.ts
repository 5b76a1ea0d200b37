/** Upstreams that break at every byte of a recorded answer, in every dialect and direction: more than 10,000 calls through one gateway. */
import { expect, test } from 'vitest'
import { runBreaks } from './broken-upstream-suite.ts'
import { breaksEvery, setups } from './broken-upstreams.ts'

test.each(setups)(
  '$client <- $upstream: every byte, every fault',
  async (setup) => {
    const breaks = breaksEvery(1, [setup])
    expect(breaks.length).toBeGreaterThan(10_000)
    const started = performance.now()
    const balance = await runBreaks(breaks, { width: 64, warmUp: Math.floor(breaks.length / 2), toleranceMb: 10 })
    console.log(
      `${balance.calls} broken calls in ${Math.round((performance.now() - started) / 1000)} s; before ${JSON.stringify(balance.before)}, after ${JSON.stringify(balance.after)}`,
    )
  },
  1_200_000,
)
