/**
 * Callers at the edge of limits, through the real stages at two gateways and over every way of sharing a state: whatever becomes
 * of each call, no more of them run than a limit has, and what was reserved and not used is there for the next.
 */
import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { eventsOf, say, streamHeaders } from '../../../conformance/harness/model-answer.ts'
import { startVendor, type Vendor, type VendorReply, type VendorRequest } from '../../../conformance/harness/vendor.ts'
import { Cancellation } from '../core/cancellation.ts'
import { TurnwardError } from '../core/error.ts'
import { showLimits } from '../turns/limiting/showing-limits.ts'
import { runModelCall } from '../turns/model-call.ts'
import { memoryCall } from '../turns/origins/memory-origin.ts'
import { dialectByName } from '../wire/dialects.ts'
import { configOf, type Floors, keys, openFloors } from './floors.fixture.ts'
import { sharingWays } from './sharing.fixture.ts'

/** What becomes of a call that was sent: `left`: its client leaves in the middle of the answer, `given_up`: before it began. */
const endings = ['answered', 'failed', 'broken_off', 'left', 'given_up'] as const
type Ending = (typeof endings)[number]
/** An answer that began has used a request, whatever became of it. */
const using: readonly Ending[] = ['answered', 'broken_off', 'left']
const usage = { input: 7, output: 3 }

/** A vendor that ends each call as its message says, once so many are under way. */
class Endings implements AsyncDisposable {
  readonly vendor: Vendor
  /** The most that ran or had been used at one time. */
  most = 0
  readonly #clients = new Map<string, Cancellation>()
  readonly #together: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  private constructor(vendor: Vendor, together: number) {
    this.vendor = vendor
    this.#together = together
    vendor.respond((request) => this.#respond(request))
  }

  static async start(together = 1): Promise<Endings> {
    return new Endings(await startVendor(), together)
  }

  /** How the calls have ended that were sent. */
  get sent(): readonly Ending[] {
    return this.vendor.requests.map((request) => this.#read(request).ending)
  }

  /** Makes a call. Resolves when it is over for its client. */
  async call({ services, url }: Floors, ending: Ending, name: string): Promise<void> {
    const isStream = ending === 'broken_off' || ending === 'left'
    const body = { model: 'm', max_tokens: 5, stream: isStream, messages: [{ role: 'user', content: `${ending} ${name}` }] }
    const headers = { authorization: `Bearer ${keys.alice}` }
    if (ending === 'left') return leaveInTheMiddle(`${url}/v1/chat/completions`, headers, body)
    const client = new Cancellation()
    this.#clients.set(name, client)
    const caller = await services.authenticator.authenticate({ headers }, services.snapshot(), 'models')
    const { origin, answer } = memoryCall({ caller, body, maxBytes: 1 << 20, signal: client })
    answer.catch(() => {})
    await runModelCall(services, origin, dialectByName['chat-completions'])
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.vendor.close()
  }

  #read({ body }: VendorRequest): { readonly ending: Ending; readonly name: string } {
    const [ending = '', name = ''] = String(body['messages'][0].content).split(' ')
    return { ending: ending as Ending, name }
  }

  async #respond(request: VendorRequest): Promise<VendorReply> {
    const { ending, name } = this.#read(request)
    this.#running += 1
    this.most = Math.max(this.most, this.#running)
    if (this.vendor.requests.length < this.#together) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    for (const go of this.#waiting.splice(0)) go()
    if (!using.includes(ending)) this.#running -= 1
    const begun = { headers: streamHeaders(request), parts: eventsOf(request, { text: 'Half an answer', usage }).slice(0, 3) }
    if (ending === 'failed') return { status: 500, parts: ['it failed'] }
    if (ending === 'broken_off') return { ...begun, ends: 'reset' }
    if (ending === 'left') return { ...begun, ends: 'never' }
    if (ending === 'answered') return say(request, { text: 'Done.', usage })
    this.#clients.get(name)?.cancel(new TurnwardError('request.cancelled'))
    return { parts: [], silent: true, ends: 'never' }
  }
}

async function leaveInTheMiddle(url: string, headers: Record<string, string>, body: object): Promise<void> {
  const client = new AbortController()
  const sent = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(url, { ...sent, signal: client.signal })
  if (answer.status === 200) await answer.body?.getReader().read()
  client.abort()
}

function limited(vendor: Vendor, most: number) {
  return configOf({
    upstreams: { vendor: { kind: 'openai', base_url: vendor.url, credential: 'none' } },
    routes: [{ model: 'm', upstreams: ['vendor'] }],
    prices: [{ models: ['m'], input: 1, output: 1 }],
    limits: {
      assumed_output_tokens: 10,
      rules: [
        { name: 'requests', per: 'none', count: 'requests', limit: most, window: 'calendar_month' },
        { name: 'tokens', per: 'principal', count: 'tokens', limit: 1_000_000, window: 'calendar_month' },
        { name: 'cost', per: 'group', count: 'cost', limit: 1000, window: 'calendar_month' },
        { name: 'running', per: 'key', count: 'concurrent', limit: most },
      ],
    },
  })
}

/** What is counted is what was used, at either gateway, and nothing is left reserved. */
async function expectBalanced(gateways: readonly Floors[], sent: readonly Ending[]): Promise<void> {
  // Who leaves does not wait for what is given back.
  await vi.waitFor(() => expect(gateways.map(({ services }) => services.ledger.outstanding)).toEqual([0, 0]), {
    timeout: 5000,
    interval: 10,
  })
  const whole = sent.filter((ending) => ending === 'answered').length * (usage.input + usage.output)
  const cut = sent.filter((ending) => ending === 'broken_off' || ending === 'left').length
  for (const { services } of gateways) {
    const shown = await showLimits(services, 'alice')
    const used = Object.fromEntries(shown.map((one) => [one.limit, one.used]))
    expect([used['requests'], used['running']]).toEqual([sent.filter((ending) => using.includes(ending)).length, 0])
    // What an answer has used that broke off is known about: its request, and some words.
    expect(used['tokens']).toBeGreaterThanOrEqual(whole + 25 * cut)
    expect(used['tokens']).toBeLessThanOrEqual(whole + 60 * cut)
    expect(used['cost']).toBeCloseTo((used['tokens'] ?? 0) / 1_000_000, 9)
  }
}

describe.each(sharingWays)('over $way', ({ isMissing, share, open }) => {
  test.skipIf(isMissing)(
    'a thousand callers never pass a limit, and leave all of it that they have not used',
    { timeout: 120_000 },
    async () => {
      const most = 60
      await using shared = await open(11)
      await using calls = await Endings.start(most)
      const config = limited(calls.vendor, most)
      await using here = await openFloors({ config, state: shared.here })
      await using there = await openFloors({ config, state: shared.there })
      const gateways = [here, there] as const
      await Promise.all(
        Array.from({ length: 1000 }, (_, at) => {
          const ending = endings[Math.floor(at / 2) % endings.length] as Ending
          return calls.call(at % 2 === 0 ? here : there, ending, `first-${at}`)
        }),
      )
      expect(calls.most).toBe(most)
      await expectBalanced(gateways, calls.sent)
      // What was given back is there for others: to the last of it, and not one more.
      const used = calls.sent.filter((ending) => using.includes(ending)).length
      const before = calls.sent.length
      for (let at = 0; at <= most - used; at += 1) await calls.call(at % 2 === 0 ? here : there, 'answered', `second-${at}`)
      expect(calls.sent.length - before).toBe(most - used)
      await expectBalanced(gateways, calls.sent)
    },
  )

  test.skipIf(isMissing)('reserved is settled or given back, however calls end and in whatever order', { timeout: 120_000 }, async () => {
    const planned = fc.array(fc.record({ ending: fc.constantFrom(...endings), isThere: fc.boolean() }), { minLength: 1, maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(planned, fc.integer({ min: 1, max: 1_000_000 }), async (some, seed) => {
        await using shared = await open(seed)
        await using calls = await Endings.start()
        const config = limited(calls.vendor, 8)
        await using here = await openFloors({ config, state: shared.here })
        await using there = await openFloors({ config, state: shared.there })
        await Promise.all(some.map(({ ending, isThere }, at) => calls.call(isThere ? there : here, ending, `call-${at}`)))
        expect(calls.most).toBeLessThanOrEqual(8)
        await expectBalanced([here, there], calls.sent)
      }),
      { numRuns: Math.max(3, Math.ceil((15 * share) / 100)) },
    )
  })
})
