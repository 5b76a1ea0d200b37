/** Any request may go to any replica: what one has read, proposed or ended counts at all of them. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasServices } from '../harness/replicas.ts'
import type { Json } from '../harness/json.ts'
import { connectClient, textOf } from '../mcp/official-client.ts'
import { ada, propose } from '../mcp/office.ts'
import { startReplicatedOffice, type ReplicatedOffice } from './replicated-office.ts'

let office: ReplicatedOffice

/** A replica by its number; numbers go round. */
const at = (number: number): { readonly gateway: ReplicatedOffice['gateways'][number] } => {
  const gateway = office.gateways[number % office.gateways.length]
  if (gateway === undefined) throw new Error('no such replica')
  return { gateway }
}

function isRefusal(result: { readonly _meta?: unknown }): boolean {
  return (result._meta as Json | undefined)?.['dev.turnward/refusal'] !== undefined
}

describe.skipIf(!hasServices)('at three replicas', () => {
  beforeAll(async () => {
    office = await startReplicatedOffice(['a', 'b', 'c'])
  })
  afterAll(() => office?.[Symbol.asyncDispose]())

  test('what was read at one is known at the next: the send there is refused', async () => {
    const headers = { 'x-turnward-session': `replicas-${randomUUID()}` }
    for (let round = 0; round < 3; round += 1) {
      const session = { 'x-turnward-session': `${headers['x-turnward-session']}-${round}` }
      const [reader, sender] = [
        await connectClient(at(round).gateway.url, ada, { headers: session }),
        await connectClient(at(round + 1).gateway.url, ada, { headers: session }),
      ]
      expect(isRefusal(await sender.callTool({ name: 'office__publish', arguments: {} }))).toBe(false)
      expect(isRefusal(await reader.callTool({ name: 'office__read_web', arguments: {} }))).toBe(false)
      expect(isRefusal(await sender.callTool({ name: 'office__publish', arguments: {} }))).toBe(true)
      await Promise.all([reader.close(), sender.close()])
    }
  })

  test('a call that was proposed at one runs at another, in its session and turn, once', async () => {
    const proposal = await propose(at(0), ada, `propose backup ${randomUUID()}`)
    const clients = await Promise.all([1, 2, 1, 2, 0].map((number) => connectClient(at(number).gateway.url, ada)))
    await Promise.all(clients.map((client) => client.callTool({ name: 'office__backup', arguments: {} })))
    const records = (await Promise.all(office.gateways.map((gateway) => gateway.turnRecords())))
      .flat()
      .filter((one) => one.kind === 'tool_call' && one.type === 'decision' && one.subject === 'office__backup')
    const ids = new Set(records.filter((one) => one['ticket'] === 'matched').map((one) => one.id))
    expect(ids.size).toBe(1)
    expect(records.find((one) => one['ticket'] === 'matched')).toMatchObject({ session: proposal.session, turn: proposal.turn })
    await Promise.all(clients.map((client) => client.close()))
  })

  test('a conversation goes on at whichever replica it comes to', async () => {
    const first = await propose(at(0), ada, `propose read_news ${randomUUID()}`)
    const result = { role: 'tool', tool_call_id: first.calls[0]?.id, content: 'The cafeteria is open again.' }
    const second = await propose(at(1), ada, '', [...first.messages, result])
    const third = await propose(at(2), ada, '', [...second.messages, { role: 'user', content: 'propose publish' }])
    expect([second.session, third.session]).toEqual([first.session, first.session])
    expect(second.turn).toBe(first.turn)
    expect(third.turn).not.toBe(first.turn)
  })

  test('an MCP session that began at one goes on at the others', async () => {
    const client = await connectClient(at(0).gateway.url, ada, { mode: 'legacy' })
    const transport = client.transport as unknown as { _url: URL }
    for (const number of [1, 2, 0]) {
      transport._url = new URL(`${at(number).gateway.url}/mcp/main`)
      expect(textOf(await client.callTool({ name: 'office__read_news', arguments: {} }))).toBe('The cafeteria is open again.')
    }
    await client.close()
  })

  test('everybody is listed, with one revision', async () => {
    const { stdout, code } = await at(0).gateway.cli(['cluster', 'status', '--json'])
    expect(code).toBe(0)
    const status = JSON.parse(stdout) as { instances: Json[]; revisions: string[] }
    expect(status.instances.map(({ replica }) => replica as string)).toEqual(['a', 'b', 'c'])
    expect(status.revisions).toHaveLength(1)
  })
})
