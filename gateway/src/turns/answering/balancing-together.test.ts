/** What an upstream has said to one gateway the other knows, wherever the state is; what one could not reach stays its own. */
import { describe, expect, test } from 'vitest'
import { vendorError } from '../../../../conformance/harness/model-answer.ts'
import { SharedHealth } from '../../models/balancing/sharing-health.ts'
import { silentLogger } from '../../core/logger.ts'
import { sharingWays } from '../../invariants/sharing.fixture.ts'
import type { StateStore } from '../../state/state-store.ts'
import { answering, ask, decisions, open, type Fleet, type Route } from './balanced-vendors.fixture.ts'

interface Gateway {
  readonly fleet: Fleet
  readonly shared: SharedHealth
}

/** Another gateway in front of the same vendors. */
async function gateway(route: Partial<Route>, state: StateStore, like?: Fleet): Promise<Gateway> {
  const fleet = await open(route, {}, {}, like?.vendors)
  const { services } = fleet.floors
  const { health } = services.upstreams
  const self = like === undefined ? 'here' : 'there'
  return {
    fleet,
    shared: new SharedHealth({ state, health, snapshot: services.snapshot, clock: services.clock, logger: silentLogger, self }),
  }
}

describe.each(sharingWays.filter(({ isMissing }) => !isMissing))('two gateways that share $way', ({ open: share }) => {
  async function both(route: Partial<Route>, run: (here: Gateway, there: Gateway) => Promise<void>): Promise<void> {
    await using sharing = await share(1)
    const here = await gateway(route, sharing.here)
    const there = await gateway(route, sharing.there, here.fleet)
    try {
      await run(here, there)
    } finally {
      here.shared.close()
      there.shared.close()
      await there.fleet.floors[Symbol.asyncDispose]()
      await here.fleet[Symbol.asyncDispose]()
    }
  }

  test('leave alone together what has failed for one of them, until the time is over', async () => {
    await both({}, async (here, there) => {
      here.fleet.vendors.a.respond((request) => vendorError(request, 500, 'out of order'))
      for (let at = 0; at < 2; at += 1) await ask(here.fleet)
      await here.shared.round()
      await there.shared.read()
      expect((await ask(there.fleet)).status).toBe(200)
      expect(here.fleet.asked()).toMatchObject({ a: 2 })
      expect(decisions(there.fleet)[0]).toMatchObject({
        upstream: 'b',
        passedOver: [{ upstream: 'a', why: 'its model fails: it answered 500' }],
      })
      here.fleet.vendors.a.respond(answering)
      // Whoever has found it out tries first.
      there.fleet.floors.clock.advance(15_000)
      await ask(there.fleet)
      expect(here.fleet.asked()).toMatchObject({ a: 2 })
      there.fleet.floors.clock.advance(1_000)
      await ask(there.fleet)
      expect(here.fleet.asked()).toMatchObject({ a: 3 })
    })
  })

  test('know together that a credential has used up its limits', async () => {
    await both({}, async (here, there) => {
      here.fleet.vendors.a.respond((request) => {
        const error = vendorError(request, 429, 'slow down')
        return { ...error, headers: { ...error.headers, 'retry-after': '30' } }
      })
      await ask(here.fleet)
      await here.shared.round()
      await there.shared.read()
      await ask(there.fleet)
      expect(here.fleet.asked()).toMatchObject({ a: 1, b: 2 })
    })
  })

  test('do not believe each other that nobody can be reached', async () => {
    await both({}, async (here, there) => {
      here.fleet.vendors.a.respond(() => ({ parts: [], silent: true, ends: 'reset' }))
      for (let at = 0; at < 2; at += 1) await ask(here.fleet)
      await here.shared.round()
      await there.shared.read()
      here.fleet.vendors.a.respond(answering)
      await ask(there.fleet)
      expect(decisions(there.fleet)[0]).toMatchObject({ upstream: 'a' })
      expect(decisions(there.fleet)[0]).not.toHaveProperty('passedOver')
    })
  })

  test('count what runs at both, and know how soon answers begin there', async () => {
    await both({ balance: 'lowest_latency', upstreams: ['a', 'b'] }, async (here, there) => {
      const { clock } = here.fleet.floors
      here.fleet.vendors.a.respond((request) => {
        clock.advance(500)
        return answering(request)
      })
      here.fleet.vendors.b.respond((request) => {
        clock.advance(100)
        return answering(request)
      })
      for (let at = 0; at < 2; at += 1) await ask(here.fleet)
      await here.shared.round()
      await there.shared.read()
      const before = here.fleet.asked()
      await ask(there.fleet)
      expect(here.fleet.asked()).toMatchObject({ a: before['a'], b: (before['b'] ?? 0) + 1 })
      expect(decisions(there.fleet)[0]?.why).toMatch(/^its answers begin after \d+ ms/)
    })
  })
})
