/** A client of the legacy era that lost the stream of its request comes back for the rest of it. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { describe, expect, test } from 'vitest'
import { initialize, open, script, send, useEndpoint } from './wire.fixture.ts'

useEndpoint()

const callWith = (headers: Record<string, string>) =>
  open({
    headers,
    body: { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 's__t000', _meta: { progressToken: 'p' } } },
  })

/** Reads events until `enough`, and leaves. */
async function eventsUntil(response: IncomingMessage, enough: (text: string) => boolean): Promise<string> {
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    if (enough(text)) break
  }
  return text
}

const idsOf = (text: string): string[] => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id ?? '')
const dataOf = (text: string): string[] => [...text.matchAll(/^data: (.+)$/gm)].map(([, data]) => data ?? '')

/** A call that says one thing, waits, says another and ends. */
function steps() {
  const gate = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  script(async (call) => {
    call.onProgress?.({ progress: 1 })
    await gate.promise
    call.onProgress?.({ progress: 2 })
    setImmediate(ended.resolve)
    return { content: [{ type: 'text', text: 'done' }] }
  })
  return { goOn: () => gate.resolve(), ended: ended.promise }
}

describe('a stream of 2025-11-25', () => {
  test.each(['before the rest has come', 'after it has ended'])('is gone on with, %s', async (when) => {
    const headers = await initialize()
    const { goOn, ended } = steps()
    const first = await callWith(headers)
    const begun = await eventsUntil(first, (text) => text.includes('"progress":1'))
    first.destroy()
    // The first event says nothing but where to come back.
    expect(begun).toMatch(/^id: \S+\nretry: \d+\ndata: \n\n/)
    const [, last = ''] = idsOf(begun)
    const resume = () => open({ method: 'GET', headers: { ...headers, 'last-event-id': last } })
    let text: string
    if (when === 'after it has ended') {
      goOn()
      await ended
      text = await eventsUntil(await resume(), () => false)
    } else {
      const second = await resume()
      goOn()
      text = await eventsUntil(second, () => false)
    }
    const [progress, result] = dataOf(text).map((data) => JSON.parse(data) as Record<string, unknown>)
    expect(progress).toMatchObject({ method: 'notifications/progress', params: { progress: 2, progressToken: 'p' } })
    expect(result).toMatchObject({ id: 7, result: { content: [{ text: 'done' }] } })
    expect(new Set([...idsOf(begun), ...idsOf(text)]).size).toBe(4)
  })

  test('is nobody else’s, and one that is not known is no error', async () => {
    const headers = await initialize()
    const { goOn } = steps()
    const first = await callWith(headers)
    const [, last = ''] = idsOf(await eventsUntil(first, (text) => text.includes('"progress":1')))
    goOn()
    const other = await initialize('2025-11-25', 'bob')
    for (const [id, sent] of [
      [last, { headers: other, token: 'bob' }],
      [last, { headers: await initialize() }],
      ['made-up_3', { headers }],
      [last.replace(/\d+$/, '-1'), { headers }],
    ] as const) {
      const response = await open({ method: 'GET', ...sent, headers: { ...sent.headers, 'last-event-id': id } })
      expect(response.statusCode).toBe(200)
      // The stream of the session, which says nothing by itself.
      response.destroy()
      await once(response, 'close')
    }
  })

  test('of which nothing was said before is one answer, as before', async () => {
    const answered = await send({
      headers: await initialize(),
      body: { jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 's__t000' } },
    })
    expect(answered.headers['content-type']).toBe('application/json')
  })
})

test('a client that is older is sent no event it would take for a message', async () => {
  const headers = await initialize('2025-06-18')
  const { goOn } = steps()
  const response = await callWith(headers)
  goOn()
  const text = await eventsUntil(response, () => false)
  expect(text).not.toContain('id: ')
  expect(dataOf(text)).toHaveLength(3)
})
