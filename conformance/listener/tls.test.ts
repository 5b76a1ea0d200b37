/** HTTPS at the listener: both floors and WebSockets come in over it, and certificates are taken over while connections stay open. */
import { X509Certificate } from 'node:crypto'
import { connect } from 'node:net'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { makeAuthority, type Certificate } from '../harness/certificates.ts'
import { governedConfig, secretEnv, secrets } from '../harness/governed-config.ts'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import { say } from '../harness/model-answer.ts'
import { startRealtimeVendor, type RealtimeVendor } from '../harness/realtime-vendor.ts'
import { handshake, SecureConnection, shownCertificate } from '../harness/tls-client.ts'
import { until } from '../harness/until.ts'
import { startVendor, type Vendor } from '../harness/vendor.ts'

const authority = makeAuthority()
const clients = makeAuthority('clients')
const hosts = ['localhost', '127.0.0.1']
const dayMs = 24 * 3600 * 1000
const first = authority.issue(hosts, { expires: Date.now() + 5 * dayMs })
const ca = { ca: authority.cert }
const tls = { certificate: '${file:listener.pem}', key: '${file:listener.key}' }
const files = { 'listener.pem': first.cert, 'listener.key': first.key, 'clients.pem': clients.cert }
const asAlice = { authorization: `Bearer ${secrets.alice}` }
const chat = { model: 'gpt-test', messages: [{ role: 'user', content: 'hello' }] }

const fingerprint = ({ cert }: Certificate): string => new X509Certificate(cert).fingerprint256

async function replace(gateway: RunningGateway, name: string, text: string): Promise<void> {
  await writeFile(join(gateway.dir, `${name}.new`), text, { mode: 0o600 })
  await rename(join(gateway.dir, `${name}.new`), join(gateway.dir, name))
}

let vendor: Vendor
beforeAll(async () => (vendor = await startVendor((request) => say(request, { text: 'ok' }))))
afterAll(() => vendor?.close())

function start(listen: object, more: object = {}): Promise<RunningGateway> {
  const config = {
    ...governedConfig({ openai: vendor.url, anthropic: vendor.url }),
    servers: { away: { transport: 'http', url: 'http://127.0.0.1:9/mcp' } },
    gateways: { main: { servers: ['away'] } },
    ...more,
  }
  return startGateway({ config: { ...config, listen: { port: 0, tls: { ...tls, ...listen } } }, env: secretEnv, files })
}

describe('a gateway with a certificate', () => {
  let gateway: RunningGateway
  let realtime: RealtimeVendor
  let open: SecureConnection

  beforeAll(async () => {
    realtime = await startRealtimeVendor()
    const usual = governedConfig({ openai: vendor.url, anthropic: vendor.url })
    gateway = await start(
      {},
      {
        upstreams: { ...usual['upstreams'], live: { kind: 'openai', base_url: realtime.url, credential: 'openai-team' } },
        routes: [...(usual['routes'] as unknown as object[]), { model: 'gpt-realtime', upstreams: ['live'] }],
      },
    )
    open = new SecureConnection(gateway.url, ca)
  })
  afterAll(async () => {
    open?.close()
    await gateway?.stop()
    await realtime?.[Symbol.asyncDispose]()
  })

  test('says its address with https, and model calls and MCP come in over it', async () => {
    expect(gateway.url).toMatch(/^https:/)
    expect(await open.ask('/v1/chat/completions', { body: chat, headers: asAlice })).toMatchObject({ status: 200 })
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'tls', version: '1' } }
    const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params }
    const answer = await open.ask('/mcp/main', { body, headers: asAlice })
    expect(answer.json).toMatchObject({ id: 1, result: { protocolVersion: '2025-11-25' } })
  })

  test('lets WebSockets in', async () => {
    const socket = new WebSocket(`${gateway.url.replace('https', 'wss')}/v1/realtime?model=gpt-realtime`, { ...ca, headers: asAlice })
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    await realtime.session(1)
    socket.terminate()
  })

  test('closes a connection that does not speak TLS, and goes on', async () => {
    const { hostname, port } = new URL(gateway.url)
    const plain = connect(Number(port), hostname, () => plain.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n'))
    plain.on('error', () => {})
    plain.resume()
    await new Promise((resolve) => plain.once('close', resolve))
    expect((await open.ask('/healthz')).status).toBe(200)
  })

  test('says when the certificate expires, and warns in time', async () => {
    const expires = new X509Certificate(first.cert).validToDate
    expect((await open.ask('/readyz')).json['certificate']).toEqual({ expires: expires.toISOString() })
    const metrics = (await open.ask('/metrics')).text
    expect(metrics).toMatch(new RegExp(`^turnward_listen_certificate_expires_seconds(?:\\{[^}]*\\})? ${expires.getTime() / 1000}`, 'm'))
    expect(gateway.logs()).toMatch(/"daysLeft":4,.*the certificate of the listener expires soon/)
  })

  test('takes over a renewed certificate, and a connection that was open goes on', async () => {
    const { localPort } = await open.ask('/healthz')
    const renewed = authority.issue(hosts)
    await replace(gateway, 'listener.pem', renewed.cert)
    await replace(gateway, 'listener.key', renewed.key)
    await until('the new certificate', async () => ((await shownCertificate(gateway.url, ca)) === fingerprint(renewed) ? true : undefined))
    expect(await open.ask('/readyz')).toMatchObject({ status: 200, localPort })
    expect((await open.ask('/readyz')).json['certificate']).toMatchObject({
      expires: new X509Certificate(renewed.cert).validToDate.toISOString(),
    })
  })

  test.each([
    ['no certificate at all', 'listener.pem', 'nothing to see'],
    ['the key of another', 'listener.key', authority.issue(hosts).key],
  ])('keeps what it has when the new file is %s, and says so', async (_what, name, text) => {
    const before = await shownCertificate(gateway.url, ca)
    const good = name === 'listener.pem' ? authority.issue(hosts) : undefined
    await replace(gateway, name, text)
    await until('the refusal', async () => ((await open.ask('/readyz')).json['config'] === undefined ? undefined : true))
    expect(await shownCertificate(gateway.url, ca)).toBe(before)
    expect(gateway.logs()).not.toContain('PRIVATE KEY')
    // What is good again is taken over.
    const next = good ?? authority.issue(hosts)
    await replace(gateway, 'listener.key', next.key)
    await replace(gateway, 'listener.pem', next.cert)
    await until('the next certificate', async () => ((await shownCertificate(gateway.url, ca)) === fingerprint(next) ? true : undefined))
    expect((await open.ask('/readyz')).json['config']).toBeUndefined()
  })
})

test('of several processes each takes over a renewed certificate', async () => {
  const gateway = await start({}, { workers: 2 })
  try {
    const renewed = authority.issue(hosts)
    await replace(gateway, 'listener.pem', renewed.cert)
    await replace(gateway, 'listener.key', renewed.key)
    const seen = new Map<unknown, string>()
    await until('the new certificate at both workers', async () => {
      const socket = await handshake(gateway.url, ca)
      const { fingerprint256: met } = socket.getPeerCertificate()
      socket.write('GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n')
      let text = ''
      for await (const chunk of socket) text += String(chunk)
      seen.set(/"worker":(\d)/.exec(text)?.[1], met)
      return seen.size === 2 && [...seen.values()].every((one) => one === fingerprint(renewed)) ? true : undefined
    })
  } finally {
    await gateway.stop()
  }
})

describe('clients that must have a certificate', () => {
  let gateway: RunningGateway
  const own = clients.issue(['agent.acme.example'])
  beforeAll(async () => (gateway = await start({ client_ca: '${file:clients.pem}', client_certificates: 'require', min_version: '1.3' })))
  afterAll(() => gateway?.stop())

  const asks = async (shown?: Certificate): Promise<number> => {
    const connection = new SecureConnection(gateway.url, { ...ca, ...(shown === undefined ? {} : { own: shown }) })
    try {
      return (await connection.ask('/healthz')).status
    } finally {
      connection.close()
    }
  }

  test('are answered with one of their authority, and with no other', async () => {
    expect(await asks(own)).toBe(200)
    await expect(asks()).rejects.toThrow()
    await expect(asks(authority.issue(['agent.acme.example']))).rejects.toThrow()
    await expect(asks(clients.issue(['agent.acme.example'], { from: Date.now() - dayMs, expires: Date.now() - 1000 }))).rejects.toThrow()
  })

  test('speak at least the version that is configured', async () => {
    await expect(handshake(gateway.url, { ...ca, own }, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/)
  })

  test('lose their open connections when their authority is not believed any more, and only then', async () => {
    const connection = new SecureConnection(gateway.url, { ...ca, own })
    const { localPort } = await connection.ask('/healthz')
    const others = makeAuthority('others')
    await replace(gateway, 'clients.pem', `${clients.cert}${others.cert}`)
    await until('both authorities', () => asks(others.issue(['b.acme.example'])).catch(() => undefined))
    expect((await connection.ask('/healthz')).localPort).toBe(localPort)
    await replace(gateway, 'clients.pem', others.cert)
    await until(
      'the end of the connection',
      async () =>
        await connection.ask('/healthz').then(
          () => undefined,
          () => true,
        ),
    )
    expect(await asks(others.issue(['c.acme.example']))).toBe(200)
    connection.close()
  })
})
