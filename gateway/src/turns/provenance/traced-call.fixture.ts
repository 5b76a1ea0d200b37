/** A conversation with one trusted and one untrusted result, and calls that are proposed in it: engine and search as they are. */
import type { JsonObject } from '../../core/json.ts'
import { decide } from '../../policy/decide.ts'
import { noEvidence } from '../../policy/evidence.ts'
import { labelRecord, publicLabel } from '../../policy/label.ts'
import type { Policy, Verdict } from '../../policy/types.ts'
import { alice, call, type ConfigInput, fresh, policyOf, tool } from '../../policy/written-policy.fixture.ts'
import type { MessageView } from '../../wire/dialect.ts'
import type { ProposingCall } from '../call.ts'
import { deliveredKey } from '../deciding/labels-of-history.ts'
import { assistantDigest, readHistory } from '../sessions/history.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'
import { traceProposal } from './tracing-values.ts'
import { WordsIndex } from './words-index.ts'

/** What each party wrote. */
export interface Words {
  readonly person: string
  readonly operator?: string
  /** Result of a tool whose contract calls it trusted, and of one whose contract does not. */
  readonly trusted?: string
  readonly untrusted: string
  /** What the trusted tool was asked. */
  readonly asked?: JsonObject
  /** Whether the message with the calls was delivered by this gateway, and under which trust. Default: yes, 1. */
  readonly delivered?: 0 | 1 | 'never'
  /** The session is an agent's: its task was written by a model. */
  readonly isAgents?: boolean
}

export const contracts: NonNullable<ConfigInput['contracts']> = {
  bank__payees: { output: { trust: 'trusted' } },
  web__get: { output: { trust: 'untrusted', records: { of: 'bill', id: 'id', names: ['title'] } } },
  bank__close: { effects: ['mutation'], requires: { asked: ['close', 'shut down'] } },
  bank__file: {
    effects: ['mutation'],
    args: {
      bill: { role: 'authority', after_untrusted: ['principal'], record: 'bill' },
      n: { role: 'authority', after_untrusted: ['principal'] },
    },
  },
  bank__pay: { effects: ['mutation'], args: { to: 'destination', amount: 'authority', note: { role: 'content', trust: 'trusted' } } },
}

const secret = Buffer.alloc(32, 3)
const usual = policyOf({ contracts })

/** The verdict on a call of `bank__pay`, or of another tool under a policy with the contracts above, after all of it was read. */
export async function verdictOn(words: Words, args: JsonObject, name = 'bank__pay', policy = usual): Promise<Verdict> {
  const subject = tool(name)
  const made = await conversation(words, policy)
  const values = await traceProposal(made, [subject], [args])
  return decide(policy, made.session.policyState, call(name, args), { ...noEvidence, values })
}

/** A call that has read all of it. */
export async function conversation(words: Words, policy: Policy = usual): Promise<ProposingCall> {
  const { person, operator = '', trusted = '', untrusted, asked = {}, delivered = 1, isAgents = false } = words
  const clock = testClock()
  const state = testState(clock)
  const calls = [
    { id: 'c1', name: 'bank__payees', args: asked, argsText: JSON.stringify(asked) },
    { id: 'c2', name: 'web__get', args: {}, argsText: '{}' },
  ]
  const message = (index: number, role: MessageView['role'], more: Partial<MessageView>): MessageView => ({
    index,
    role,
    text: '',
    calls: [],
    results: [],
    fromUser: role === 'user',
    ...more,
  })
  const messages = [
    message(0, 'system', { text: operator }),
    message(1, 'user', { text: person }),
    message(2, 'assistant', { calls }),
    message(3, 'tool', { results: [{ callId: 'c1', text: trusted, isError: false }] }),
    message(4, 'tool', { results: [{ callId: 'c2', text: untrusted, isError: false }] }),
  ]
  if (delivered !== 'never') {
    const label = labelRecord({ ...publicLabel(1), trust: delivered }, policy)
    await state.put('label', deliveredKey(alice.id, assistantDigest('', calls) ?? ''), label, clock.now() + 1000)
  }
  const meant = (name: string) => [tool(name)] as const
  return {
    services: { state, clock, secret, words: new WordsIndex(state, clock, secret) },
    snapshot: { policy, settings: { turns: { session_idle_ms: 1000, unknown_history: 'restrict' } } },
    caller: { principal: alice, consumer: null, actor: null },
    session: {
      id: 'ses_1',
      state: { id: 'ses_1', parent: isAgents ? 'ses_0' : null, source: isAgents ? 'agent' : 'prefix', children: [] },
      policyState: { ...fresh(policy), label: { trust: 0, audience: [] } },
    },
    meanings: { ofCall: ({ name }: { readonly name: string }) => ({ tools: meant(name), args: {} }), ofName: meant },
    client: undefined,
    view: { messages },
    history: readHistory(messages, secret, ['alice']),
  } as unknown as ProposingCall
}
