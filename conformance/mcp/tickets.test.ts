/** Tickets: a tool call at the MCP endpoint joins the session and turn of the model call that proposed it, and nothing slips between the two floors. */
import { randomUUID } from 'node:crypto'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { connectClient, textOf } from './official-client.ts'
import { ada, bob, propose, startOffice, type Office } from './office.ts'

let office: Office
beforeAll(async () => {
  office = await startOffice()
})
afterAll(() => office?.[Symbol.asyncDispose]())

function freshClient(key = ada, at: Office = office): Promise<Client> {
  return connectClient(at.gateway.url, key, { name: `tickets-${randomUUID()}` })
}

function isRefusal(result: { readonly _meta?: unknown }): boolean {
  return (result._meta as Json | undefined)?.['dev.turnward/refusal'] !== undefined
}

describe('`tickets: match`', () => {
  test('a proposed call joins the session and the turn of the model call', async () => {
    const proposal = await propose(office, ada, `propose read_news ${randomUUID()}`)
    const [proposed] = proposal.calls
    expect(proposed).toMatchObject({ name: 'office__read_news' })
    const client = await freshClient()
    expect(textOf(await client.callTool({ name: 'office__read_news', arguments: proposed?.args ?? {} }))).toBe(
      'The cafeteria is open again.',
    )
    const record = await office.gateway.recordThat(
      (one) => one.kind === 'tool_call' && one.type === 'decision' && one.turn === proposal.turn,
    )
    expect(record).toMatchObject({ session: proposal.session, ticket: 'matched', toolCallId: proposed?.id, action: 'release' })
    const model = await office.gateway.recordThat(
      (one) => one.kind === 'model_call' && one.type === 'decision' && one.turn === proposal.turn,
    )
    expect(model.session).toBe(proposal.session)
    expect(record.modelCall).toBe(model.modelCall)
    await client.close()
  })

  test('a ticket is good once: the same call again is a call nobody proposed', async () => {
    const proposal = await propose(office, ada, `propose backup ${randomUUID()}`)
    const client = await freshClient()
    await client.callTool({ name: 'office__backup', arguments: {} })
    await client.callTool({ name: 'office__backup', arguments: {} })
    const records = (await office.gateway.turnRecords()).filter(
      (one) => one.kind === 'tool_call' && one.type === 'decision' && one.subject === 'office__backup',
    )
    expect(records.slice(-2).map((one) => [one['ticket'], one.turn === proposal.turn])).toEqual([
      ['matched', true],
      ['none', false],
    ])
    await client.close()
  })

  test('other arguments or another principal do not match', async () => {
    const proposal = await propose(office, ada, `propose send ${randomUUID()}`)
    const [proposed] = proposal.calls
    const stranger = await freshClient(bob)
    await stranger.callTool({ name: 'office__send', arguments: { ...proposed?.args } })
    const changed = await freshClient()
    await changed.callTool({ name: 'office__send', arguments: { ...proposed?.args, body: 'something else' } })
    const honest = await freshClient()
    // The order of members means nothing in JSON.
    await honest.callTool({
      name: 'office__send',
      arguments: { body: proposed?.args['body'] as string, to: proposed?.args['to'] as string },
    })
    const records = (await office.gateway.turnRecords())
      .filter((one) => one.kind === 'tool_call' && one.type === 'decision' && one.subject === 'office__send')
      .slice(-3)
    expect(records.map((one) => [one.principal, one['ticket'], one.turn === proposal.turn])).toEqual([
      ['bob', 'none', false],
      ['ada', 'none', false],
      ['ada', 'matched', true],
    ])
    for (const client of [stranger, changed, honest]) await client.close()
  })

  test('what a proposed call brings back restricts the conversation of the model', async () => {
    const proposal = await propose(office, ada, `propose read_web ${randomUUID()}`)
    const client = await freshClient()
    const result = await client.callTool({ name: 'office__read_web', arguments: {} })
    const messages = [...proposal.messages, { role: 'tool', tool_call_id: proposal.calls[0]?.id, content: textOf(result) }]
    const next = await propose(office, ada, '', messages)
    expect(next).toMatchObject({ session: proposal.session, turn: proposal.turn })
    const record = await office.gateway.recordThat(
      (one) => one.kind === 'model_call' && one.type === 'decision' && one.turn === proposal.turn && (one.hidden ?? []).length > 0,
    )
    expect(record.hidden).toContain('office__publish')
    expect(record.labelAfter).toMatchObject({ trust: 'untrusted' })
    await client.close()
  })

  test('a connection that has read something untrusted is not clean for calls nobody proposed', async () => {
    const proposal = await propose(office, ada, `propose read_web ${randomUUID()}`)
    expect(proposal.calls).toHaveLength(1)
    const client = await freshClient()
    await client.callTool({ name: 'office__read_web', arguments: {} })
    const record = await office.gateway.recordThat(
      (one) => one.kind === 'tool_call' && one.type === 'decision' && one.turn === proposal.turn,
    )
    expect(record['ticket']).toBe('matched')
    const unmatched = await client.callTool({ name: 'office__publish', arguments: {} })
    expect(isRefusal(unmatched)).toBe(true)
    await client.close()
  })

  test('a call released while the session was clean is decided again on what it has read since', async () => {
    const session = { 'x-turnward-session': `race-${randomUUID()}` }
    const proposal = await propose(office, ada, `propose publish ${randomUUID()}`, undefined, session)
    expect(proposal.calls).toMatchObject([{ name: 'office__publish' }])
    const client = await connectClient(office.gateway.url, ada, { headers: session })
    await client.callTool({ name: 'office__read_web', arguments: {} })
    const late = await client.callTool({ name: 'office__publish', arguments: {} })
    expect(isRefusal(late)).toBe(true)
    await client.close()
  })
})

describe('`tickets: required`', () => {
  let strict: Office
  beforeAll(async () => {
    strict = await startOffice({ turns: { tickets: 'required' } })
  })
  afterAll(() => strict?.[Symbol.asyncDispose]())

  test('a call nobody proposed is refused and never runs', async () => {
    const client = await freshClient(ada, strict)
    const result = await client.callTool({ name: 'office__read_news', arguments: {} })
    expect(result.isError).toBe(true)
    expect((result._meta as Json)['dev.turnward/refusal']).toMatchObject({ gaps: [{ kind: 'ticket' }] })
    expect(await strict.ran()).toEqual([])
    await client.close()
  })

  test('a proposed call runs, and only as it was proposed', async () => {
    const { calls } = await propose(strict, ada, 'propose send')
    const args = calls[0]?.args as Record<string, unknown>
    const client = await freshClient(ada, strict)
    expect(isRefusal(await client.callTool({ name: 'office__send', arguments: { ...args, to: 'eve@evil.example' } }))).toBe(true)
    expect(textOf(await client.callTool({ name: 'office__send', arguments: args }))).toBe('sent')
    expect(isRefusal(await client.callTool({ name: 'office__send', arguments: args }))).toBe(true)
    expect(await strict.ran()).toEqual([{ tool: 'send', args }])
    await client.close()
  })
})

test('with `tickets: off` the floors do not look at each other', async () => {
  await using loose = await startOffice({ turns: { tickets: 'off' } })
  const proposal = await propose(loose, ada, 'propose read_news')
  const client = await freshClient(ada, loose)
  await client.callTool({ name: 'office__read_news', arguments: {} })
  const record = await loose.gateway.recordThat((one) => one.kind === 'tool_call' && one.type === 'decision')
  expect(record['ticket']).toBe('not_needed')
  expect(record.turn).not.toBe(proposal.turn)
  await client.close()
})
