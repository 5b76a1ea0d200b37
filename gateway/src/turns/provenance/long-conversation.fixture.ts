/** A long conversation in which much was read that nobody trusts, and the call that goes on from it: for measuring the search. */
import { publicLabel } from '../../policy/label.ts'
import { emptyLedger } from '../../policy/effects.ts'
import type { Policy, ToolSubject } from '../../policy/types.ts'
import type { MessageView } from '../../wire/dialect.ts'
import type { ProposingCall } from '../call.ts'
import { readHistory } from '../sessions/history.ts'
import { testClock, testState } from '../state-and-clock.fixture.ts'
import { WordsIndex } from './words-index.ts'

export interface LongConversation {
  readonly policy: Policy
  readonly person: string
  /** How many results it has, and how long they are together. */
  readonly results: number
  readonly bytes: number
  /** The tool that brought them. */
  readonly reader: string
  /** Two of different seeds have no text in common. */
  readonly seed: number
}

const secret = Buffer.alloc(32, 3)
const words =
  'invoice page account of the northern branch 17 due 2026-05-15 write to billing@corp.example see https://corp.example/a?b=1 or pay 980.00'

export function longConversation({ policy, person, results, bytes, reader, seed }: LongConversation): ProposingCall {
  const clock = testClock()
  const state = testState(clock)
  const message = (index: number, role: MessageView['role'], more: Partial<MessageView>): MessageView => ({
    index,
    role,
    text: '',
    calls: [],
    results: [],
    fromUser: role === 'user',
    ...more,
  })
  const length = Math.ceil(bytes / results)
  const messages = [message(0, 'user', { text: person })]
  for (let at = 0; at < results; at += 1) {
    const id = `c${at}`
    messages.push(message(messages.length, 'assistant', { calls: [{ id, name: reader, args: { page: at }, argsText: `{"page":${at}}` }] }))
    const text = `${seed}.${at} `.concat(`${words} ${seed + at}\n`.repeat(Math.ceil(length / words.length))).slice(0, length)
    messages.push(message(messages.length, 'tool', { results: [{ callId: id, text, isError: false }] }))
  }
  const meant = (name: string): readonly ToolSubject[] => [{ name, server: name.split('__')[0] ?? name, hints: undefined }]
  const principal = { id: 'alice', kind: 'human' as const, groups: [], emails: [], credentials: new Map() }
  // Enough of a call for the search and the engine; nothing else is asked of it.
  return {
    services: { state, clock, secret, words: new WordsIndex(state, clock, secret) },
    snapshot: { policy, settings: { turns: { session_idle_ms: 60_000, unknown_history: 'accept' } } },
    caller: { principal, consumer: null, actor: null },
    session: {
      id: 'ses_1',
      state: { id: 'ses_1', parent: null, source: 'prefix', children: [] },
      policyState: { label: { ...publicLabel(1), trust: 0 }, effects: emptyLedger },
    },
    meanings: { ofCall: ({ name }: { readonly name: string }) => ({ tools: meant(name), args: {} }), ofName: meant },
    client: undefined,
    view: { messages },
    history: readHistory(messages, secret, ['alice']),
  } as unknown as ProposingCall
}
