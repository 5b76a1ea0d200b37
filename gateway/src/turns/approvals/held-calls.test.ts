/** Calls that wait for a person, over both floors: asked, approved at one gateway and run at another, once. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { say, type ModelAnswer } from '../../../../conformance/harness/model-answer.ts'
import { post } from '../../../../conformance/harness/raw-http.ts'
import { startVendor, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { configOf, keys, openFloors, type ConfigInput, type Floors } from '../../invariants/floors.fixture.ts'
import { vendorConfig, wires } from '../../invariants/vendors.fixture.ts'
import { storeBackends, type TestStores } from '../../store/backends.fixture.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'
import type { Approval } from './approval.ts'

const finance = { id: 'bob', groups: ['finance'] }
const people: ConfigInput = {
  principals: { alice: { groups: ['staff'] }, bob: { groups: ['finance'] }, carol: { groups: ['finance'] } },
  groups: { staff: {}, finance: {} },
  keys: { 'alice-key': { principal: 'alice', secret: keys.alice }, 'bob-key': { principal: 'bob', secret: keys.bob } },
  contracts: {
    office__pay: {
      output: { trust: 'trusted' },
      effects: ['payment'],
      requires: { approval: { when: 'args.amount > 100', from: ['@finance'] } },
    },
  },
}
const waiting: ConfigInput = { ...people, approvals: { hold_ms: 60_000 } }
const impatient: ConfigInput = { ...people, approvals: { hold_ms: 0 } }
const args = { amount: 250, to: 'acme' }

describe.each(storeBackends)('with approvals on $name', ({ isMissing, make }) => {
  describe.skipIf(isMissing)('a call that waits', () => {
    let stores: TestStores
    const opened: AsyncDisposable[] = []
    beforeEach(async () => {
      stores = await make()
    })
    afterEach(async () => {
      for (const one of opened.splice(0).reverse()) await one[Symbol.asyncDispose]()
      await stores[Symbol.asyncDispose]()
    })

    /** Two gateways over one state and one store. */
    async function two(config: ConfigInput): Promise<readonly [Floors, Floors]> {
      const state = testState(testClock())
      const floors: Floors[] = []
      for (const _gateway of [0, 1]) {
        const { approvals } = await stores.open()
        floors.push(await openFloors({ config, state, approvals, tools: { office__pay: {}, office__read: {} } }))
      }
      opened.push(...floors)
      return [floors[0] as Floors, floors[1] as Floors]
    }

    /** The one that waits, as an approver finds it at a gateway. */
    async function asked(floors: Floors): Promise<Approval> {
      for (;;) {
        const [found] = await floors.services.approvals.list(finance, { isPending: true, most: 10 })
        if (found !== undefined) return found
        await new Promise((resolve) => setImmediate(resolve))
      }
    }

    describe('at the MCP endpoint', () => {
      test('is held against its limits once its person has approved it at their client', async () => {
        const own = { requires: { approval: { from: ['@staff'], self: true } }, output: { trust: 'trusted' } }
        const rules = [{ name: 'few', per: 'principal', count: 'tool_calls', limit: 1, window: '1d' }] as const
        const [here] = await two(configOf({ ...impatient, contracts: { office__pay: own }, limits: { rules: [...rules] } }))
        const context = { ...(await here.context(keys.alice, 'c')), offers: { elicitation: { form: {} } } }
        const request = { kind: 'tool_call', name: 'office__pay', unfit: undefined, meta: undefined, onProgress: undefined } as const
        const approveAtClient = async (amount: number) => {
          const signal = new AbortController().signal
          const more = { offers: context.offers, args: { ...args, amount }, signal }
          const first = await here.operations.callTool(context, { ...request, ...more })
          const [name = ''] = Object.keys(first['inputRequests'] as object)
          const answers = new Map([[name, { result: { action: 'accept', content: { approve: true } } }]])
          const resumed = { state: String(first['requestState']), answers }
          return here.operations.callTool(context, { ...request, ...more, resumed })
        }
        expect(await approveAtClient(250)).toMatchObject({ content: [{ text: 'done' }] })
        expect(await approveAtClient(251)).toMatchObject({
          isError: true,
          content: [{ text: expect.stringContaining('1 of 1 tool calls') }],
        })
        expect(here.ran).toHaveLength(1)
      })

      test('is held until somebody approves it at another replica, and runs on that', async () => {
        const [here, there] = await two(configOf(waiting))
        const running = here.call(await here.context(keys.alice, 'c'), 'office__pay', args)
        const approval = await asked(there)
        expect(approval.facts).toMatchObject({
          tool: 'office__pay',
          principal: 'alice',
          args,
          reason: '`@finance` must approve this call.',
        })
        expect(here.ran).toEqual([])
        await there.services.approvals.rule(approval.id, finance, { ruling: 'approve', via: 'api' })
        expect(await running).toMatchObject({ content: [{ text: 'done' }] })
        expect(here.ran).toHaveLength(1)
        const decision = here.log.decisions('tool_call').at(-1)
        expect(decision).toMatchObject({
          action: 'release',
          approval: { id: approval.id, event: 'used', by: 'bob', digest: approval.digest },
        })
        expect(decision?.rules).toContain('ruling of bob')
        expect(here.log.decisions('approval')).toMatchObject([{ action: 'hold', approval: { event: 'asked', id: approval.id } }])
        expect(there.log.decisions('approval')).toMatchObject([
          { action: 'release', principal: 'alice', approval: { event: 'approved', by: 'bob', via: 'api' } },
        ])
      })

      test('is refused with the reason when somebody denies it, and is not asked about again', async () => {
        const [here, there] = await two(configOf(waiting))
        const context = await here.context(keys.alice, 'c')
        const running = here.call(context, 'office__pay', args)
        const { id } = await asked(there)
        await there.services.approvals.rule(id, finance, { ruling: 'deny', via: 'api', reason: 'Acme was paid already.' })
        const refused = JSON.stringify(await running)
        expect(refused).toContain('a person refused this call: Acme was paid already'.slice(2))
        expect(JSON.stringify(await there.call(await there.context(keys.alice, 'c'), 'office__pay', args))).toContain(
          'Acme was paid already',
        )
        expect([here.ran, there.ran]).toEqual([[], []])
      })

      test('is answered that it waits; later the same call runs, once, whichever replica it comes to', async () => {
        const [here, there] = await two(configOf(impatient))
        const context = await here.context(keys.alice, 'c')
        const answered = await here.call(context, 'office__pay', args)
        const { id } = await asked(there)
        expect(answered).toMatchObject({ isError: true, _meta: { 'dev.turnward/approval': { id } } })
        expect(JSON.stringify(answered)).toContain(`waiting for approval ${id}`)
        // The same call again is not asked about twice.
        await here.call(context, 'office__pay', { to: 'acme', amount: 250 })
        expect(await there.services.approvals.list(finance, { isPending: true, most: 10 })).toHaveLength(1)
        await there.services.approvals.rule(id, finance, { ruling: 'approve', via: 'api' })
        const others: readonly (readonly [string, object])[] = [
          ['other arguments', { ...args, amount: 251 }],
          ['more arguments', { ...args, note: 'x' }],
        ]
        for (const [, other] of others) await here.call(context, 'office__pay', { ...other })
        // Another session of the same person, and another person.
        await here.call(await here.context(keys.alice, 'c', 'main', { 'x-turnward-session': 'another' }), 'office__pay', args)
        await here.call(await here.context(keys.bob, 'c'), 'office__pay', args)
        expect(here.ran).toEqual([])
        // Of two replicas that run it at once, one does.
        const there2 = await there.context(keys.alice, 'c')
        await Promise.all([here.call(context, 'office__pay', args), there.call(there2, 'office__pay', args)])
        expect(here.ran.length + there.ran.length).toBe(1)
        await here.call(context, 'office__pay', args)
        expect(here.ran.length + there.ran.length).toBe(1)
      })

      test('runs on values that somebody vouches for, and goes on taking them in that conversation, and there alone', async () => {
        const roles = { to: 'destination' } as const
        const [here, there] = await two(
          configOf({
            ...impatient,
            contracts: {
              office__read: { output: { trust: 'untrusted' } },
              office__pay: {
                output: { trust: 'trusted' },
                args: roles,
                requires: { approval: { instead_of: ['provenance'], from: ['@finance'] } },
              },
            },
          }),
        )
        const [context, there2] = [await here.context(keys.alice, 'c'), await there.context(keys.alice, 'c')]
        expect(await here.call(context, 'office__pay', { to: 'acme' })).toMatchObject({ content: [{ text: 'done' }] })
        await here.call(context, 'office__read')
        await here.call(context, 'office__pay', { to: 'acme' })
        const { id, facts } = await asked(there)
        expect(facts.values).toEqual(['acme'])
        await there.services.approvals.rule(id, finance, { ruling: 'approve', via: 'api', endorses: true })
        const paid = async (to: string): Promise<boolean> =>
          JSON.stringify(await there.call(there2, 'office__pay', { to })).includes('done')
        expect([await paid('acme'), await paid('acme'), await paid('evil')]).toEqual([true, true, false])
        const other = await here.context(keys.alice, 'c', 'main', { 'x-turnward-session': 'another' })
        await here.call(other, 'office__read')
        expect(await here.call(other, 'office__pay', { to: 'acme' })).toMatchObject({ isError: true })
        expect(there.log.decisions('approval')[0]).toMatchObject({ approval: { event: 'approved', endorsed: true } })
      })

      test('stays for its approver when its caller goes away, and expires', async () => {
        const [here, there] = await two(configOf({ ...people, approvals: { hold_ms: 60_000, expires_ms: 5000 } }))
        const gone = new AbortController()
        const running = here.call(await here.context(keys.alice, 'c'), 'office__pay', args, gone.signal).catch((error: unknown) => error)
        const { id } = await asked(there)
        gone.abort()
        await running
        expect((await there.services.approvals.find(id))?.status).toBe('pending')
        here.clock.advance(5000)
        await here.services.approvals.tidy()
        expect(here.log.decisions('approval').map(({ approval }) => approval?.event)).toEqual(['asked', 'expired'])
        await expect(here.services.approvals.rule(id, finance, { ruling: 'approve', via: 'api' })).rejects.toMatchObject({
          code: 'approval.over',
        })
        here.clock.advance(6 * 24 * 3_600_000)
        await here.services.approvals.tidy()
        expect((await there.services.approvals.find(id))?.status).toBe('expired')
        here.clock.advance(24 * 3_600_000)
        await here.services.approvals.tidy()
        expect(await there.services.approvals.find(id)).toBeUndefined()
      })
    })

    describe.each(wires)('at the model floor ($path, stream: $stream)', (wire) => {
      let vendor: Vendor
      let answers: ModelAnswer[]
      beforeEach(async () => {
        answers = []
        vendor = await startVendor((request) => say(request, answers.shift() ?? { text: 'Well.' }))
        opened.push({ [Symbol.asyncDispose]: () => vendor.close() })
      })
      const messages = (...more: object[]): object[] => [{ role: 'user', content: 'Pay acme.' }, ...more]
      const tools = [
        wire.kind === 'openai'
          ? { type: 'function', function: { name: 'office__pay', parameters: { type: 'object' } } }
          : { name: 'office__pay', input_schema: { type: 'object' } },
      ]
      const ask = async (floors: Floors, said: object[]): Promise<string> =>
        (await post(`${floors.url}${wire.path}`, keys.alice, { model: 'm', max_tokens: 100, stream: wire.stream, tools, messages: said }))
          .text
      const propose = (id: string, over: object = args): ModelAnswer => ({ calls: [{ id, name: 'office__pay', args: over as never }] })

      test('is held, approved elsewhere, released, and then run at the endpoint without being asked about again', async () => {
        const [here, there] = await two(vendorConfig(wire.kind, vendor.url, waiting))
        answers.push(propose('call_1'))
        const answering = ask(here, messages())
        const { id } = await asked(there)
        await there.services.approvals.rule(id, finance, { ruling: 'approve', via: 'api' })
        expect(await answering).toContain('call_1')
        const context = await there.context(keys.alice, 'c')
        expect(await there.call(context, 'office__pay', args)).toMatchObject({ content: [{ text: 'done' }] })
        // Its ticket is used, and so is the approval.
        const running = there.call(context, 'office__pay', args)
        await there.services.approvals.rule((await asked(there)).id, finance, { ruling: 'deny', via: 'api' })
        expect(await running).toMatchObject({ isError: true })
        expect([here.ran.length, there.ran.length]).toEqual([0, 1])
      })

      test.runIf(wire.stream)('is held on a stream that goes on saying that it is there', async () => {
        const config = { ...waiting, turns: { keep_alive_ms: 20 } }
        const [here, there] = await two(vendorConfig(wire.kind, vendor.url, config))
        answers.push(propose('call_1'))
        const response = await fetch(`${here.url}${wire.path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${keys.alice}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'm', max_tokens: 100, stream: true, tools, messages: messages() }),
        })
        // Nobody has ruled yet, and still the head and the first bytes are here.
        const reader = response.body?.getReader()
        let text = ''
        while (!/: (?:waiting for a decision|keep-alive)\n/.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString()
        expect(text).not.toContain('call_1')
        await there.services.approvals.rule((await asked(there)).id, finance, { ruling: 'approve', via: 'api' })
        for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) text += Buffer.from(part.value).toString()
        expect(text).toContain('call_1')
      })

      test('is answered that it waits, the model hears of the ruling once, and the same call then runs', async () => {
        const [here, there] = await two(vendorConfig(wire.kind, vendor.url, impatient))
        answers.push(propose('call_1'), { text: 'It waits.' })
        const first = await ask(here, messages())
        expect(first).toContain('It waits.')
        expect(first).not.toContain('call_1')
        const { id } = await asked(there)
        expect(JSON.stringify(vendor.requests.at(-1)?.body)).toContain(`waiting for approval ${id}; not run yet`)
        await there.services.approvals.rule(id, finance, { ruling: 'approve', via: 'api' })
        const later = [
          { role: 'assistant', content: first.includes('[Turnward]') ? 'It waits.' : 'It waits.' },
          { role: 'user', content: 'And now?' },
        ]
        answers.push(propose('call_2', { to: 'acme', amount: 250 }))
        expect(await ask(here, messages(...later))).toContain('call_2')
        const told = JSON.stringify(vendor.requests.at(-1)?.body)
        expect(told).toContain(`waited for approval ${id}`)
        expect(told.split('A person has approved')).toHaveLength(2)
        await here.call(await here.context(keys.alice, 'c'), 'office__pay', { to: 'acme', amount: 250 })
        expect(here.ran).toHaveLength(1)
      })
    })
  })
})
