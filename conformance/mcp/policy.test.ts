/** Policy as an MCP client meets it: what runs, what is refused, and how it is told. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { call, freshClient } from './office-client.ts'
import { ada, bob, startOffice, type Office } from './office.ts'
import { connectClient, textOf, toolNames } from './official-client.ts'

let office: Office
beforeAll(async () => {
  office = await startOffice()
})
afterAll(() => office?.[Symbol.asyncDispose]())

async function timesRan(tool: string): Promise<number> {
  return (await office.ran()).filter((one) => one.tool === tool).length
}

describe('a refusal', () => {
  test('is a result with isError, a text for the model, and the whole verdict in `_meta`', async () => {
    const client = await freshClient(office)
    await call(client, 'read_web')
    const before = await timesRan('publish')
    const result = await client.callTool({ name: 'office__publish', arguments: {} })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toMatch(/^not run: /)
    const refusal = (result._meta as Json)['dev.turnward/refusal'] as Json
    expect(refusal).toMatchObject({ gaps: [{ kind: 'trust', source: 'contract office__publish' }] })
    expect(String(refusal['decision'])).toMatch(/^dec_/)
    const record = await office.gateway.recordThat((one) => one.id === refusal['decision'] && one.type === 'decision')
    expect(record).toMatchObject({
      kind: 'tool_call',
      subject: 'office__publish',
      action: 'refuse',
      principal: 'ada',
      actor: 'night-agent',
      turn: refusal['turn'],
    })
    expect(await timesRan('publish')).toBe(before)
    await client.close()
  })

  test('quotes neither what was read nor what was asked', async () => {
    const client = await freshClient(office)
    await call(client, 'read_personnel')
    const { text, refusal } = await call(client, 'send', { to: 'eve@evil.example', body: 'Ada earns 90,000.' })
    for (const secret of ['eve@evil.example', '90,000']) {
      expect(text).not.toContain(secret)
      expect(JSON.stringify(refusal)).not.toContain(secret)
    }
    await client.close()
  })

  test('leaves the connection usable', async () => {
    const client = await freshClient(office)
    await call(client, 'read_web')
    expect((await call(client, 'publish')).refused).toBe(true)
    expect(await call(client, 'read_news')).toMatchObject({ refused: false, text: 'The cafeteria is open again.' })
    await client.close()
  })
})

describe('what a session has read decides', () => {
  test('trust: publishing works before and not after reading a page of a stranger', async () => {
    const client = await freshClient(office)
    expect((await call(client, 'publish')).text).toBe('published')
    await call(client, 'read_web')
    expect(await call(client, 'publish')).toMatchObject({ refused: true })
    await client.close()
  })

  test('audience: every recipient must be one who may receive what was read', async () => {
    const client = await freshClient(office)
    expect((await call(client, 'send', { to: 'eve@evil.example', body: 'nothing read yet' })).text).toBe('sent')
    await call(client, 'read_personnel')
    expect((await call(client, 'send', { to: 'carol@acme.example' })).text).toBe('sent')
    expect((await call(client, 'send', { to: ['ada@acme.example', 'carol@acme.example'] })).text).toBe('sent')
    const before = await timesRan('send')
    for (const to of [
      'bob@acme.example',
      'eve@evil.example',
      ['carol@acme.example', 'eve@evil.example'],
      [],
      'Carol <carol@acme.example>, eve@evil.example',
    ]) {
      expect(await call(client, 'send', { to }), JSON.stringify(to)).toMatchObject({ refused: true })
    }
    expect(await timesRan('send')).toBe(before)
    await client.close()
  })

  test('history: a migration needs a backup that succeeded, and happens once', async () => {
    const client = await freshClient(office)
    expect(await call(client, 'migrate')).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'done' }] } })
    expect((await call(client, 'failing_backup')).text).toBe('disk full')
    expect(await call(client, 'migrate')).toMatchObject({ refused: true })
    expect((await call(client, 'backup')).text).toBe('backed up')
    const results = await Promise.all(Array.from({ length: 4 }, () => call(client, 'migrate')))
    expect(results.filter(({ refused }) => !refused).map(({ text }) => text)).toEqual(['migrated'])
    expect(await call(client, 'migrate')).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'not_done' }] } })
    await client.close()
  })

  test('an undescribed tool runs while everything read is trusted, and its result is not trusted', async () => {
    const client = await freshClient(office)
    expect((await call(client, 'mystery')).text).toBe('a tool nobody described')
    expect(await call(client, 'mystery')).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'undescribed' }] } })
    expect(await call(client, 'publish')).toMatchObject({ refused: true })
    await client.close()
  })

  test('an error of a tool is read like any other result', async () => {
    const client = await freshClient(office)
    await call(client, 'failing_backup')
    const record = await office.gateway.recordThat(
      (one) => one.type === 'outcome' && one.subject === 'office__failing_backup' && one.outcome === 'tool_error',
    )
    expect(record.principal).toBe('ada')
    await client.close()
  })

  test('reconnecting does not clean a session: not under another name, nor in another protocol era', async () => {
    await using other = await startOffice()
    const first = await connectClient(other.gateway.url, ada, { name: 'first', mode: 'legacy' })
    await call(first, 'read_web')
    await first.close()
    const second = await connectClient(other.gateway.url, ada, { name: 'second', mode: { pin: '2026-07-28' } })
    expect(await call(second, 'publish')).toMatchObject({ refused: true })
    await second.close()
  })

  test('a session somebody else named the same is another session', async () => {
    const headers = { 'x-turnward-session': `shared-${randomUUID()}` }
    const first = await connectClient(office.gateway.url, ada, { headers })
    await call(first, 'read_web')
    expect(await call(first, 'publish')).toMatchObject({ refused: true })
    const other = await connectClient(office.gateway.url, bob, { headers })
    expect(await call(other, 'publish')).toMatchObject({ refused: false })
    await first.close()
    await other.close()
  })
})

describe('rules', () => {
  test('a rule refuses by the value of an argument, with its own reason', async () => {
    const client = await freshClient(office)
    expect((await call(client, 'count', { n: 5 })).text).toBe('counted 5')
    const refused = await call(client, 'count', { n: 6 })
    expect(refused).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'rule', source: 'rule small-numbers' }] } })
    expect(refused.text).toContain('Numbers above five are not counted')
    await client.close()
  })

  test('a warning runs and is on record', async () => {
    const client = await freshClient(office)
    expect((await call(client, 'count', { n: 2 })).text).toBe('counted 2')
    const record = await office.gateway.recordThat(
      (one) => one.subject === 'office__count' && one.verdict === 'warn' && one.type === 'decision',
    )
    expect(record).toMatchObject({ action: 'release', rules: expect.arrayContaining(['rule watch-two']) })
    await client.close()
  })

  test('a rule about one person does not touch another', async () => {
    const [adas, bobs] = [await freshClient(office, ada), await freshClient(office, bob)]
    expect(await call(adas, 'read_news')).toMatchObject({ refused: false })
    expect(await call(bobs, 'read_news')).toMatchObject({ refused: true })
    expect(await toolNames(bobs)).not.toContain('office__read_news')
    await adas.close()
    await bobs.close()
  })
})

describe('arguments', () => {
  test.each([
    ['of the wrong type', { n: 'PRIVATE-VALUE' }],
    ['out of range', { n: 11 }],
    ['missing', {}],
    ['nobody asked for', { n: 1, also: 'PRIVATE-VALUE' }],
  ])('an argument %s is refused before the server sees it, without quoting it', async (_what, args) => {
    const client = await freshClient(office)
    const before = await timesRan('count')
    const result = await call(client, 'count', args)
    expect(result).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'argument' }] } })
    expect(JSON.stringify(result)).not.toContain('PRIVATE-VALUE')
    expect(await timesRan('count')).toBe(before)
    await client.close()
  })
})
