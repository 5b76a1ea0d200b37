/** The MCP project's own client against an endpoint with real servers of both eras and every transport behind it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { ada, bob, startMixedFleet, type MixedFleet } from './mixed-fleet.ts'
import { connectClient, modes, textOf, toolNames } from './official-client.ts'

const legacyVersions = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05']

let fleet: MixedFleet
let gateway: RunningGateway

beforeAll(async () => {
  fleet = await startMixedFleet()
  gateway = fleet.gateway
})
afterAll(() => fleet?.[Symbol.asyncDispose]())

describe.each(modes)('the official client in %s mode', (name, mode) => {
  test('speaks the era it asked for', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(client.getProtocolEra()).toBe(name === 'legacy' ? 'legacy' : 'modern')
    expect(client.getNegotiatedProtocolVersion()).toBe(name === 'legacy' ? '2025-11-25' : '2026-07-28')
    await client.close()
  })

  test('sees the tools of every server as `server__tool`, in a stable order', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const names = await toolNames(client)
    expect(names).toEqual(
      expect.arrayContaining([
        'every__echo',
        'files__read_text_file',
        'memory__read_graph',
        'everyhttp__echo',
        'modern__greet',
        'raw__strange',
      ]),
    )
    expect(names.filter((tool) => !/^(every|files|memory|everyhttp|modern|raw)__[A-Za-z0-9_.-]+$/.test(tool))).toEqual([])
    expect(await toolNames(client)).toEqual(names)
    expect(client.getInstructions()).toBe('Use with care.')
    await client.close()
  })

  test.each([
    ['every__echo', { message: 'hi' }, 'Echo: hi'],
    ['everyhttp__echo', { message: 'hi' }, 'Echo: hi'],
    ['every__get-sum', { a: 2, b: 3 }, 'The sum of 2 and 3 is 5.'],
    ['modern__greet', { name: 'Ada' }, 'hello Ada'],
  ])('calls %s', async (tool, args, text) => {
    const client = await connectClient(gateway.url, ada, { mode })
    const result = await client.callTool({ name: tool, arguments: args })
    expect(textOf(result)).toBe(text)
    expect(result.isError).toBeFalsy()
    await client.close()
  })

  test('works with files through server-filesystem in the sandbox', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    expect(textOf(await client.callTool({ name: 'files__read_text_file', arguments: { path: join(fleet.folder, 'readme.txt') } }))).toBe(
      'written on the host',
    )
    const path = join(fleet.folder, `${name}.txt`)
    const written = await client.callTool({ name: 'files__write_file', arguments: { path, content: `by ${name}` } })
    expect(written.isError).toBeFalsy()
    expect(await readFile(path, 'utf8')).toBe(`by ${name}`)
    const outside = await client.callTool({ name: 'files__read_text_file', arguments: { path: '/etc/passwd' } })
    expect(outside.isError).toBe(true)
    await client.close()
  })

  test('keeps state in server-memory across connections', async () => {
    const writer = await connectClient(gateway.url, ada, { mode })
    await writer.callTool({
      name: 'memory__create_entities',
      arguments: { entities: [{ name: `Ada-${name}`, entityType: 'person', observations: ['writes programs'] }] },
    })
    await writer.close()
    const reader = await connectClient(gateway.url, ada, { mode })
    expect(textOf(await reader.callTool({ name: 'memory__read_graph', arguments: {} }))).toContain(`Ada-${name}`)
    await reader.close()
  })

  test('sees and uses the original name of a tool, where the gateway shows those and only one server has it', async () => {
    const client = await connectClient(gateway.url, ada, { mode, gateway: 'original' })
    expect(await toolNames(client)).toEqual(expect.arrayContaining(['greet', 'shout', 'everyhttp__echo']))
    const { prompts } = await client.listPrompts()
    expect(prompts.map(({ name }) => name)).toEqual(expect.arrayContaining(['every__args-prompt', 'everyhttp__args-prompt']))
    expect(textOf(await client.callTool({ name: 'shout', arguments: { message: 'hey' } }))).toBe('Echo: hey')
    expect(textOf(await client.callTool({ name: 'greet', arguments: { name: 'Ada' } }))).toBe('hello Ada')
    await expect(client.callTool({ name: 'echo', arguments: { message: 'two servers have this' } })).rejects.toMatchObject({ code: -32602 })
    await client.close()
  })

  test.each(['every__trigger-long-running-operation', 'everyhttp__trigger-long-running-operation', 'modern__counted'])(
    'is told the progress of %s',
    async (tool) => {
      const client = await connectClient(gateway.url, ada, { mode })
      const seen: number[] = []
      const result = await client.callTool(
        { name: tool, arguments: tool.startsWith('modern') ? {} : { duration: 0.3, steps: 3 } },
        { onprogress: ({ progress }) => seen.push(progress) },
      )
      expect(result.isError).toBeFalsy()
      expect(seen).toEqual([1, 2, 3])
      await client.close()
    },
  )

  test('cancels a call all the way to the server', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const before = { ...fleet.modern.calls }
    const stop = new AbortController()
    const ended = expect(client.callTool({ name: 'modern__forever', arguments: {} }, { signal: stop.signal })).rejects.toThrow()
    await expect.poll(() => fleet.modern.calls.started).toBe(before.started + 1)
    stop.abort()
    await ended
    await expect.poll(() => fleet.modern.calls.cancelled).toBe(before.cancelled + 1)
    await client.close()
  })

  test('is told when the tools of a server change', async () => {
    fleet.modern.showExtra(false)
    const client = await connectClient(gateway.url, ada, { mode })
    await expect.poll(() => toolNames(client)).not.toContain('modern__extra')
    let changes = 0
    client.setNotificationHandler('notifications/tools/list_changed', () => void (changes += 1))
    if (client.getProtocolEra() === 'modern') await client.listen({ toolsListChanged: true })
    let shown = false
    // A legacy client opens its stream in the background, so the server says it until it is heard.
    await expect
      .poll(
        () => {
          if (changes === 0) fleet.modern.showExtra((shown = !shown))
          return changes
        },
        { interval: 100 },
      )
      .toBeGreaterThan(0)
    fleet.modern.showExtra(true)
    await expect.poll(() => toolNames(client)).toContain('modern__extra')
    fleet.modern.showExtra(false)
    await client.close()
  })

  test('is told in the result, for its model to read, which argument does not fit', async () => {
    const client = await connectClient(gateway.url, ada, { mode })
    const result = await client.callTool({ name: 'every__echo', arguments: { message: 5 } })
    expect(result.isError).toBe(true)
    expect(textOf(result)).toContain('message')
    await client.close()
  })

  test('cannot tell a tool that is not granted from one that does not exist', async () => {
    const client = await connectClient(gateway.url, bob, { mode })
    expect(await toolNames(client)).toEqual(['every__echo'])
    const answer = async (tool: string): Promise<unknown> => {
      const error: unknown = await client.callTool({ name: tool, arguments: {} }).catch((thrown: unknown) => thrown)
      const { code, message, data } = error as { code: number; message: string; data: Json }
      return JSON.parse(JSON.stringify({ code, message, data: { ...data, turn: undefined } }).replaceAll(tool, 'NAME')) as unknown
    }
    const ungranted = await answer('every__get-env')
    expect(ungranted).toMatchObject({ code: -32602, message: 'Unknown tool: NAME' })
    expect(await answer('every__get-nothing')).toEqual(ungranted)
    expect(await answer('nobody__get-nothing')).toEqual(ungranted)
    await client.close()
  })
})

test.each(legacyVersions)('a client of %s is served in its version', async (version) => {
  const client = await connectClient(gateway.url, ada, { mode: 'legacy', versions: [version] })
  expect(client.getNegotiatedProtocolVersion()).toBe(version)
  expect(await toolNames(client)).toContain('every__echo')
  expect(textOf(await client.callTool({ name: 'every__echo', arguments: { message: version } }))).toBe(`Echo: ${version}`)
  expect(textOf(await client.callTool({ name: 'modern__greet', arguments: { name: version } }))).toBe(`hello ${version}`)
  await client.close()
})
