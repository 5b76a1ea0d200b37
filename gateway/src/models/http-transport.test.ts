import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { upstreamSchema } from '@turnward/contract/config/model-floor'
import { collectBody } from './collecting-body.ts'
import { HttpTransport } from './http-transport.ts'

const open: { close(): unknown }[] = []

afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function upstream(listener: RequestListener, settings: object = {}): Promise<{ transport: HttpTransport; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const config = upstreamSchema.parse({ kind: 'openai-compatible', base_url: `http://127.0.0.1:${port}/base/`, ...settings })
  if (!('base_url' in config)) throw new Error('not an HTTP upstream')
  const transport = new HttpTransport('u', config)
  open.push(transport, { close: () => server.closeAllConnections() }, { close: () => server.close() })
  return { transport, server }
}

const request = { path: '/chat/completions', headers: ['content-type', 'application/json'], body: '{}' }
const never = new AbortController().signal

describe('the HTTP transport', () => {
  test('sends to the path below the base URL and reads the answer whole', async () => {
    const seen: string[] = []
    const { transport } = await upstream((incoming, outgoing) => {
      seen.push(`${incoming.method} ${incoming.url}`)
      outgoing.end('hello')
    })
    const response = await transport.send(request, never)
    expect([response.status, (await collectBody(response, 100, 'u')).toString(), seen]).toEqual([
      200,
      'hello',
      ['POST /base/chat/completions'],
    ])
  })

  test('does not follow a redirect: nobody but the administrator chooses where calls go', async () => {
    const { transport } = await upstream((_incoming, outgoing) => outgoing.writeHead(302, { location: 'http://127.0.0.1:1/' }).end())
    expect((await transport.send(request, never)).status).toBe(302)
  })

  test('an abort reaches the upstream', async () => {
    const gone = Promise.withResolvers<void>()
    const { transport } = await upstream((_incoming, outgoing) => {
      outgoing.writeHead(200).write('first')
      outgoing.on('close', () => gone.resolve())
    })
    const abort = new AbortController()
    const response = await transport.send(request, abort.signal)
    const failed = Promise.withResolvers<Error>()
    response.read({ onData: () => abort.abort(new Error('client left')), onEnd: () => {}, onError: (error) => failed.resolve(error) })
    expect((await failed.promise).message).toBe('client left')
    await gone.promise
  })

  test('an answer that is cut off is an error, never an end', async () => {
    const { transport } = await upstream((_incoming, outgoing) => {
      outgoing.writeHead(200, { 'content-length': 100 }).write('first', () => outgoing.socket?.destroy())
    })
    const response = await transport.send(request, never)
    await expect(collectBody(response, 100, 'u')).rejects.toMatchObject({ code: 'upstream.failed' })
  })

  test('a body over the limit is refused and its connection ended', async () => {
    const { transport } = await upstream((_incoming, outgoing) => outgoing.end('x'.repeat(1000)))
    await expect(collectBody(await transport.send(request, never), 100, 'u')).rejects.toMatchObject({ code: 'upstream.malformed' })
  })

  test('rejects when nobody listens', async () => {
    const { transport, server } = await upstream(() => {})
    await new Promise((resolve) => server.close(resolve))
    await expect(transport.send(request, never)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
