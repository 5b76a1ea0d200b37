/** A listed tool is a callable tool: what disappears from lists, who is told, and how postures change that. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../harness/json.ts'
import { call, freshClient } from './office-client.ts'
import { ada, startOffice, type Office } from './office.ts'
import { modes, toolNames } from './official-client.ts'

let office: Office
beforeAll(async () => {
  office = await startOffice()
})
afterAll(() => office?.[Symbol.asyncDispose]())

describe.each(modes)('the tool list of a %s client', (_name, mode) => {
  test('loses what the label makes unreachable, says so, and a listed tool is a callable tool', async () => {
    const client = await freshClient(office, ada, mode)
    const before = await toolNames(client)
    expect(before).toEqual(expect.arrayContaining(['office__publish', 'office__mystery', 'office__send', 'office__read_web']))
    expect(before).not.toContain('office__migrate')
    let changes = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void (changes += 1))
    if (client.getProtocolEra() === 'modern') await client.listen({ toolsListChanged: true })
    await call(client, 'read_web')
    // A legacy client opens its stream in the background; its label may have changed before. Another change is heard.
    await expect
      .poll(
        async () => {
          if (changes === 0) await call(client, 'backup')
          if (changes === 0) await call(client, 'read_personnel')
          return changes
        },
        { interval: 100 },
      )
      .toBeGreaterThan(0)
    const after = await toolNames(client)
    expect(after).not.toContain('office__publish')
    expect(after).not.toContain('office__mystery')
    expect(after).toEqual(expect.arrayContaining(['office__send', 'office__read_web']))
    for (const tool of ['publish', 'mystery']) expect((await call(client, tool)).refused, tool).toBe(true)
    for (const name of after.filter((tool) => !['office__send', 'office__count', 'office__failing_backup'].includes(tool))) {
      expect((await call(client, name.replace('office__', ''))).refused, name).toBe(false)
    }
    await client.close()
  })
})

test('what is hidden from a list is on record', async () => {
  const client = await freshClient(office)
  await call(client, 'read_web')
  await toolNames(client)
  const record = await office.gateway.recordThat((one) => one.kind === 'tool_list' && (one.hidden ?? []).includes('office__publish'))
  expect(record).toMatchObject({ action: 'hide', principal: 'ada', labelBefore: { trust: 'untrusted' } })
  await client.close()
})

describe('postures', () => {
  test('`observe` runs what it would refuse, and records that it would', async () => {
    await using lax = await startOffice({ policy: { posture: 'observe' } })
    const client = await freshClient(lax)
    await call(client, 'read_web')
    expect(await toolNames(client)).toContain('office__publish')
    expect((await call(client, 'publish')).text).toBe('published')
    const record = await lax.gateway.recordThat(
      (one) => one.kind === 'tool_call' && one.subject === 'office__publish' && one.type === 'decision',
    )
    expect(record).toMatchObject({ verdict: 'deny', action: 'observe', gaps: [{ kind: 'trust' }], labelBefore: { trust: 'untrusted' } })
    expect((await lax.ran()).filter(({ tool }) => tool === 'publish')).toHaveLength(1)
    await client.close()
  })

  test('`strict` does not even list what nobody described', async () => {
    await using tight = await startOffice({ policy: { posture: 'strict' } })
    const client = await freshClient(tight)
    expect(await toolNames(client)).not.toContain('office__mystery')
    expect(await call(client, 'mystery')).toMatchObject({ refused: true, refusal: { gaps: [{ kind: 'undescribed' }] } })
    expect(await tight.ran()).toEqual([])
    await client.close()
  })

  test('`tools.hide: never` lists what it refuses', async () => {
    await using open = await startOffice({ policy: { tools: { hide: 'never' } } })
    const client = await freshClient(open)
    await call(client, 'read_web')
    expect(await toolNames(client)).toContain('office__publish')
    expect(await call(client, 'publish')).toMatchObject({ refused: true })
    await client.close()
  })

  test('an edit of the policy counts from the next call on, for sessions that are open', async () => {
    await using edited = await startOffice()
    const client = await freshClient(edited)
    expect(await call(client, 'mystery')).toMatchObject({ refused: false })
    const config = JSON.parse(await readConfig(edited)) as Json
    await edited.gateway.reload({ ...config, rules: [{ name: 'stop', when: 'true', verdict: 'deny', reason: 'Everything is stopped.' }] })
    expect((await call(client, 'read_news')).text).toContain('Everything is stopped')
    await client.close()
  })
})

async function readConfig({ gateway }: Office): Promise<string> {
  return readFile(gateway.configPath, 'utf8')
}
