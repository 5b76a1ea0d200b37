/** TCP services over their real sockets: what goes through, what is counted, and what is never dialled. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { connectingTo, echo, listenTcp, openEgress, raw, type StartedEgress } from './egress.fixture.ts'
import { removeFolders } from './sandbox.fixture.ts'

afterAll(removeFolders)

let started: StartedEgress | undefined
afterEach(async () => started?.egress.close())
const start = async (...options: Parameters<typeof openEgress>): Promise<StartedEgress> => (started = await openEgress(...options))

/** Everything until the other side has ended. */
async function readAll(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of socket) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('a TCP service', () => {
  test('is reached through its socket and no other, and is counted', async () => {
    await using one = await listenTcp(echo)
    await using two = await listenTcp((socket) => socket.end('two'))
    const { service, egress, lines } = await start([
      { tcp: `127.0.0.1:${one.port}`, as: 'one:5432' },
      { tcp: `127.0.0.1:${two.port}`, as: 'two:5432' },
    ])
    const client = connect({ path: service(0), allowHalfOpen: true })
    client.end('hello')
    expect(String(await readAll(client))).toBe('hello')
    expect(await raw(service(1), '')).toBe('two')
    expect(egress.forwards).toEqual([
      { to: `127.0.0.1:${one.port}`, connections: 1, sent: 5, received: 5 },
      { to: `127.0.0.1:${two.port}`, connections: 1, sent: 0, received: 3 },
    ])
    await egress.close()
    expect(lines.filter(({ level }) => level === 'info').map(({ fields }) => fields.received)).toEqual([5, 3])
  })

  test('gives a slow reader the whole answer although the service has left', async () => {
    const answer = Buffer.alloc(8 * 1024 * 1024, 7)
    await using server = await listenTcp((socket) => socket.end(answer))
    const { service } = await start([{ tcp: `127.0.0.1:${server.port}`, as: 'bulk:5000' }])
    const client = connect({ path: service(0), allowHalfOpen: true })
    await once(client, 'readable')
    client.end()
    expect((await readAll(client)).length).toBe(answer.length)
  })

  test('dials a private name only where the list says so, at an address that was judged', async () => {
    await using server = await listenTcp(echo)
    const { dialled, connect: open } = connectingTo(server.port)
    const names = { 'db.corp.example': ['::1', '169.254.169.254', '10.9.8.7'] }
    const list = [{ tcp: 'db.corp.example:5432' }, { tcp: 'db.corp.example:5433', private: true }]
    const { service, egress } = await start(list, names, { connect: open })
    expect(await raw(service(0), 'x')).toBe('')
    expect(dialled).toEqual([])
    const client = connect({ path: service(1), allowHalfOpen: true })
    client.end('x')
    expect(String(await readAll(client))).toBe('x')
    expect(dialled).toEqual(['10.9.8.7 5433'])
    expect(egress.refused()).toMatchObject([{ host: 'db.corp.example', port: 5432, times: 1 }])
  })

  test('says which entry is missing when a name is private', async () => {
    const { service, lines } = await start([{ tcp: 'db.corp.example:5432' }], { 'db.corp.example': ['10.9.8.7'] })
    await raw(service(0), 'x')
    expect(lines[0]?.fields.add).toBe('servers.probe.network: - { tcp: "db.corp.example:5432", private: true }')
  })

  test('has so many connections and no more', async () => {
    await using server = await listenTcp((socket) => socket.write('.'))
    const { service } = await start([{ tcp: `127.0.0.1:${server.port}`, as: 'db:5432' }])
    const clients = Array.from({ length: 64 }, () => connect(service(0)))
    await Promise.all(clients.map((client) => once(client, 'data')))
    const more = connect(service(0)).on('error', () => {})
    const first = await Promise.race(['data', 'close'].map(async (event) => (await once(more, event), event)))
    expect([first, server.connections()]).toEqual(['close', 64])
    more.destroy()
    for (const client of clients) client.destroy()
  })

  test('ends with its server: open connections are cut, and nothing listens any more', async () => {
    await using server = await listenTcp((socket) => socket.write('.'))
    const { service, egress } = await start([{ tcp: `127.0.0.1:${server.port}`, as: 'db:5432' }])
    const client = connect(service(0))
    await once(client, 'data')
    const closed = once(client, 'close')
    client.resume()
    await egress.close()
    await closed
    const [error] = (await once(connect(service(0)), 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toBe('ENOENT')
  })
})
