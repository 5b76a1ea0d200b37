import { expect, test } from 'vitest'
import type { McpServer } from '../../config/snapshot.ts'
import { appsExtension, tasksExtension } from '../../tools/extensions.ts'
import { TurnwardError } from '../../core/error.ts'
import { Cancellation } from '../../core/cancellation.ts'
import type { ServerRequest } from '../../tools/operations.ts'
import type { EndedToolCall } from '../call.ts'
import type { Services } from '../services.ts'
import { offersWithSampling, withSampling, type RunRequest } from './answering-sampling.ts'

const serverWith = (sampling: unknown) => ({ name: 's', config: { sampling } }) as unknown as McpServer
const answered = serverWith({ model: 'm', max_tokens: 1, max_calls: 1 })

test('a server is told of what its client offers, and of a model where the gateway has one for it', () => {
  const offers = { elicitation: { form: {} }, sampling: { tools: {} } }
  expect(offersWithSampling(offers, serverWith(undefined))).toBe(offers)
  expect(offersWithSampling(undefined, undefined)).toBeUndefined()
  expect(offersWithSampling(undefined, answered)).toEqual({ sampling: {} })
  expect(offersWithSampling(offers, answered)).toEqual({ elicitation: { form: {} }, sampling: {} })
})

test('of calls that end later it is not told, of everything else it is', () => {
  expect(offersWithSampling({ extensions: { [tasksExtension]: {}, [appsExtension]: {} } }, answered)).toEqual({
    extensions: { [appsExtension]: {} },
    sampling: {},
  })
  expect(offersWithSampling({ extensions: { [tasksExtension]: {} } }, answered)).toEqual({ sampling: {} })
})

test('a request whose model cannot be asked is given up at its server', async () => {
  const given: unknown[] = []
  const fleet = { for: () => ({ abandon: (...what: unknown[]) => given.push(what) }) }
  const state = {
    begin: () => {
      throw new TurnwardError('state.unavailable')
    },
  }
  const services = { secret: Buffer.alloc(32), state, fleet } as unknown as Services
  const asks = {
    poem: { method: 'sampling/createMessage', params: { messages: [{ role: 'user', content: { type: 'text', text: 'a' } }] } },
  }
  const result = { resultType: 'input_required', inputRequests: asks, requestState: 'sealed' }
  const call = {
    services,
    snapshot: { servers: new Map([['s', answered]]), settings: { limits: { max_response_bytes: 1 } } },
    caller: { principal: { id: 'ada' }, consumer: null, actor: null },
    request: { signal: new Cancellation() },
    session: { id: 'ses_1', policyState: {} },
    tool: { server: 's' },
    end: { outcome: 'asked', result: { ...result, requestState: "the server's own" } },
  } as unknown as EndedToolCall
  const running = withSampling(services, { resumed: undefined } as ServerRequest, async (): Promise<RunRequest> => ({ result, call }))
  await expect(running).rejects.toMatchObject({ code: 'state.unavailable' })
  expect(given).toEqual([['s', "the server's own", JSON.stringify(['ada', null, null])]])
})
