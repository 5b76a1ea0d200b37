import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { freePort } from '../../../scripts/services/free-port.ts'
import { systemClock } from '../core/clock.ts'
import { asTurnwardError, TurnwardError } from '../core/error.ts'
import { Hop, hopPath } from './hop.ts'

const secrets = { current: 'the secret that all replicas have', previous: [] }
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A replica that listens; `addresses` is what replicas know of each other. */
async function replica(self: string, addresses: Map<string, string>, own = secrets): Promise<Hop> {
  const hop = new Hop({ names: [self], secrets: own, clock: systemClock, maxBytes: 10_000, addressOf: async (name) => addresses.get(name) })
  const server = createServer((request, response) => {
    hop.answer(request, response).catch((error: unknown) => response.writeHead(asTurnwardError(error).status).end())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  addresses.set(self, `http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  closing.push(() => {
    hop.close()
    server.closeAllConnections()
    server.close()
  })
  return hop
}

const never = new AbortController().signal

test('what is asked of another replica is answered there, refusals included', async () => {
  const addresses = new Map<string, string>()
  const [a, b] = [await replica('a', addresses), await replica('b', addresses)]
  b.handle('double', async (payload) => Number(payload) * 2)
  b.handle('refuse', async () => {
    throw new TurnwardError('mcp.server_timeout', { subject: 'office', why: 'it slept' })
  })
  expect(await a.ask('b', 'double', 21, never)).toBe(42)
  await expect(a.ask('b', 'refuse', null, never)).rejects.toMatchObject({ code: 'mcp.server_timeout', subject: 'office', why: 'it slept' })
  await expect(a.ask('b', 'x', 'y'.repeat(20_000), never)).rejects.toMatchObject({ code: 'request.too_large' })
})

test('a replica that is gone, unreachable, another one, or of another cluster says the same: gone', async () => {
  const addresses = new Map([['away', `http://127.0.0.1:${await freePort()}`]])
  const a = await replica('a', addresses)
  const b = await replica('b', addresses)
  b.handle('kind', async () => 1)
  addresses.set('earlier', addresses.get('b') ?? '')
  const stranger = await replica('stranger', addresses, { current: 'the secret of some other people', previous: [] })
  stranger.handle('kind', async () => 1)
  for (const name of ['never', 'away', 'earlier', 'stranger'])
    await expect(a.ask(name, 'kind', null, never)).rejects.toMatchObject({ code: 'cluster.gone' })
  await expect(a.ask('b', 'another kind', null, never)).rejects.toMatchObject({ code: 'cluster.gone' })
})

test('nobody without the secret is answered, and no request counts twice', async () => {
  const addresses = new Map<string, string>()
  const b = await replica('b', addresses)
  let asked = 0
  b.handle('count', async () => (asked += 1))
  const sent: string[] = []
  let ticket = ''
  const wire = createServer((request, response) => {
    ticket = String(request.headers['x-turnward-hop'])
    request.setEncoding('latin1').on('data', (chunk: string) => sent.push(chunk))
    request.on('end', () => response.writeHead(500).end())
  }).listen(0, '127.0.0.1')
  await once(wire, 'listening')
  closing.push(() => wire.close())
  const a = new Hop({
    names: ['a'],
    secrets,
    clock: systemClock,
    maxBytes: 10_000,
    addressOf: async () => `http://127.0.0.1:${(wire.address() as AddressInfo).port}`,
  })
  await expect(a.ask('b', 'count', null, never)).rejects.toMatchObject({ code: 'cluster.gone' })
  a.close()
  const send = async (body: string, given = ticket): Promise<number> =>
    (await fetch(`${addresses.get('b')}${hopPath}`, { method: 'POST', body, headers: { 'x-turnward-hop': given } })).status
  expect(await send(sent.join(''))).toBe(200)
  expect(await send(sent.join(''))).toBe(401)
  expect(await send(sent.join(''), 'nonsense')).toBe(401)
  expect(asked).toBe(1)
})

test('a caller that leaves ends what it asked for', async () => {
  const addresses = new Map<string, string>()
  const [a, b] = [await replica('a', addresses), await replica('b', addresses)]
  const begun = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<void>()
  b.handle('wait', (_payload, signal) => {
    signal.addEventListener('abort', () => ended.resolve())
    begun.resolve()
    return new Promise(() => {})
  })
  const leaving = new AbortController()
  const asking = a.ask('b', 'wait', null, leaving.signal)
  await begun.promise
  leaving.abort(new TurnwardError('request.cancelled'))
  await expect(asking).rejects.toMatchObject({ code: 'request.cancelled' })
  await ended.promise
})

test('a replica that dies in the middle of its answer is gone', async () => {
  const addresses = new Map<string, string>()
  const a = await replica('a', addresses)
  const dying = createServer((request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, { 'content-length': 1000 })
      response.write('half of it', () => response.destroy())
    })
  }).listen(0, '127.0.0.1')
  await once(dying, 'listening')
  closing.push(() => dying.close())
  addresses.set('dying', `http://127.0.0.1:${(dying.address() as AddressInfo).port}`)
  await expect(a.ask('dying', 'kind', null, never)).rejects.toMatchObject({ code: 'cluster.gone' })
})

test('what met the end of an idle connection is asked again, once', async () => {
  const addresses = new Map<string, string>()
  const [a, b] = [await replica('a', addresses), await replica('b', addresses)]
  b.handle('kind', async (payload) => payload)
  let cuts = 0
  let requests = 0
  const wire = createServer((request, response) => {
    requests += 1
    if (requests > 1 && cuts-- > 0) request.socket.resetAndDestroy()
    else b.answer(request, response).catch((error: unknown) => response.destroy(asTurnwardError(error)))
  }).listen(0, '127.0.0.1')
  await once(wire, 'listening')
  closing.push(() => {
    wire.closeAllConnections()
    wire.close()
  })
  addresses.set('b', `http://127.0.0.1:${(wire.address() as AddressInfo).port}`)
  expect(await a.ask('b', 'kind', 1, never)).toBe(1)
  cuts = 1
  expect(await a.ask('b', 'kind', 2, never)).toBe(2)
  cuts = 2
  await expect(a.ask('b', 'kind', 3, never)).rejects.toMatchObject({ code: 'cluster.gone' })
  expect(requests).toBe(5)
})
