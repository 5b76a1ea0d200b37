/**
 * Every kind of fault in answers that bug reports of other gateways tell of, in every dialect in which a vendor can send it, to
 * an official client of every dialect, streamed and whole: what is meant is heard, or an error is told; nothing is lost quietly.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { secrets } from '../../harness/governed-config.ts'
import { post } from '../../harness/raw-http.ts'
import type { VendorReply } from '../../harness/vendor.ts'
import { type Wire, wireNames, wireOf } from '../breaking-wires.ts'
import { asks } from './asking.ts'
import { answerKinds } from './answer-kinds.ts'
import { type End, type Failed, hear, type Heard } from './clients.ts'
import { type Kinds, startKinds } from './gateway.ts'
import { type AnswerKind, type Expected, usual } from './kind.ts'
import { bodyOf, bodyReply, eventsOf, streamReply } from './vendor-events.ts'

let kinds: Kinds
beforeAll(async () => {
  kinds = await startKinds((config) => ({
    ...config,
    grants: [
      { principals: ['alice'], models: ['*'], tools: ['*'] },
      { principals: ['bob'], models: ['*'], tools: ['get_time'] },
    ],
  }))
})
afterAll(() => kinds.close())

const cases = answerKinds.flatMap((kind) =>
  (Object.keys(kind.odd) as Wire[]).flatMap((upstream) =>
    (['stream', 'whole'] as const).flatMap((form) => (kind.odd[upstream]?.[form] === undefined ? [] : [{ kind, upstream, form }])),
  ),
)

describe.each(cases)('$kind.name, from $upstream ($form)', ({ kind, upstream, form }) => {
  test('is the same to every client', async () => {
    const stream = form === 'stream'
    const reply = oddReply(kind, upstream, form)
    kinds.vendor.respond(() => reply)
    const problems: string[] = []
    for (const client of wireNames) {
      const asking = { url: kinds.url, key: secrets.alice, model: wireOf(upstream).model, stream, session: randomUUID() }
      const outcome = typeof kind.heard === 'function' ? kind.heard(client === upstream) : (kind.heard ?? {})
      if (outcome === 'as sent') {
        if (stream) expect(await bytesThrough(upstream)).toBe(bytesOf(reply))
        continue
      }
      const problem = problemWith(await hear(client, asking), outcome.error !== undefined ? outcome : { ...meantBy(kind), ...outcome })
      if (problem !== undefined) problems.push(`${client}: ${problem}`)
    }
    expect(problems.join('\n')).toBe('')
  })
})

// The arguments of a call that its caller may not make: whoever sees a piece of them could act on it.
const refused = /W(?:ä|\\u00e4)sch/

describe.each(cases.filter(({ kind }) => JSON.stringify(kind.answer ?? usual).includes('Wäsche')))(
  '$kind.name, from $upstream ($form)',
  ({ kind, upstream, form }) => {
    test('shows nothing of a call that is refused', async () => {
      const reply = oddReply(kind, upstream, form)
      kinds.vendor.respond(() => reply)
      for (const client of wireNames) {
        const { path, body } =
          form === 'stream' ? wireOf(client).ask(wireOf(upstream).model, 'What is in my notes?') : asks[client](wireOf(upstream).model)
        const answer = await post(`${kinds.url}${path}`, secrets.bob, body, { 'x-turnward-session': randomUUID() })
        expect([client, answer.status === 200 || answer.status >= 500]).toEqual([client, true])
        expect([client, answer.text]).toEqual([client, expect.not.stringMatching(refused)])
      }
    })
  },
)

function oddReply({ answer = usual, odd }: AnswerKind, upstream: Wire, form: 'stream' | 'whole'): VendorReply {
  if (form === 'stream') return streamReply(upstream, odd[upstream]?.stream?.(eventsOf(upstream, answer)) ?? [])
  return bodyReply(odd[upstream]?.whole?.(bodyOf(upstream, answer)) ?? {})
}

/** What a client of the vendor's own dialect gets on the wire. */
async function bytesThrough(wire: Wire): Promise<string> {
  const { path, body } = wireOf(wire).ask(wireOf(wire).model, 'What is in my notes?')
  const answer = await post(`${kinds.url}${path}`, secrets.alice, body, { 'x-turnward-session': randomUUID() })
  return answer.bytes.toString('latin1')
}

function bytesOf({ parts }: VendorReply): string {
  return Buffer.concat(parts.map((part) => Buffer.from(part as string))).toString('latin1')
}

/** What a client hears of an answer that is not odd. */
function meantBy({ answer = usual }: AnswerKind): Partial<Heard> {
  const calls = (answer.calls ?? []).map(({ name, args = {} }) => ({ name, args }))
  const end: End = answer.finish === 'length' ? 'length' : calls.length > 0 ? 'calls' : 'stop'
  return { text: answer.text ?? '', calls, end }
}

/** What is wrong with what a client has heard, as far as it is asked about. */
function problemWith(heard: Heard | Failed, expected: Expected): string | undefined {
  const told = JSON.stringify(heard)
  if (expected.error !== undefined) return 'error' in heard && expected.error.test(heard.error) ? undefined : told
  const fields = Object.keys(expected) as (keyof Heard)[]
  return !('error' in heard) && fields.every((field) => isDeepStrictEqual(heard[field], expected[field])) ? undefined : told
}
