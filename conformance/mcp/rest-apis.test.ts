/** A REST API behind the gateway, through the official client: its operations are tools like those of any server. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@modelcontextprotocol/client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { startGateway, type RunningGateway } from '../harness/gateway-process.ts'
import type { Json } from '../harness/json.ts'
import { until } from '../harness/until.ts'
import { ada, bob } from './mixed-fleet.ts'
import { connectClient, textOf, toolNames } from './official-client.ts'
import { modernRequest } from './raw-rpc.ts'
import { largeDocument, shopDocument, startShop, type AskedRequest, type ShopApi } from './shop-api.ts'

const secret = 'shop-secret-0123456789'
let shop: ShopApi
let thief: ShopApi
let gateway: RunningGateway
let client: Client
let config: Json
beforeAll(async () => {
  thief = await startShop()
  shop = await startShop(thief.url)
  const server = {
    transport: 'openapi',
    document: 'shop.yaml',
    base_url: `${shop.url}/v1`,
    headers: { authorization: 'Bearer ${SHOP_SECRET}' },
    query: { key: '${SHOP_SECRET}' },
  }
  config = {
    principals: { ada: {}, bob: {} },
    keys: { ada: { principal: 'ada', secret: ada }, bob: { principal: 'bob', secret: bob } },
    grants: [
      { principals: ['ada'], gateways: ['*'], tools: ['*'] },
      { principals: ['bob'], gateways: ['*'], tools: ['shop__getOrder'] },
    ],
    servers: {
      shop: {
        ...server,
        operations: { include: [{ path: '*' }], exclude: [{ id: 'slow' }] },
        arguments: { currency: 'EUR', 'body.tenant': 't1' },
        response: { schema: true },
        tools: { large: { max_bytes: 1000 }, getOrder: { pick: ['id', 'customer.name'] } },
      },
      reads: { ...server, timeout_ms: 300, max_concurrent: 1, arguments: { currency: 'EUR' } },
      large: { transport: 'openapi', document: 'large.json', base_url: shop.url, operations: { include: [{ path: '*' }] } },
    },
    gateways: { main: { servers: ['shop'] }, reads: { servers: ['reads'] }, large: { servers: ['large'] } },
    contracts: { '*': { output: { trust: 'trusted' } } },
  }
  gateway = await startGateway({
    config,
    env: { SHOP_SECRET: secret },
    files: { 'shop.yaml': stringify(shopDocument), 'large.json': JSON.stringify(largeDocument(600)) },
  })
  client = await connectClient(gateway.url, ada)
})
afterAll(async () => {
  await client?.close()
  await gateway?.stop()
  await shop?.[Symbol.asyncDispose]()
  await thief?.[Symbol.asyncDispose]()
})
beforeEach(() => {
  shop.asked.length = 0
})

type Result = Awaited<ReturnType<Client['callTool']>>
const call = (name: string, args: Record<string, unknown> = {}, of = client): Promise<Result> => of.callTool({ name, arguments: args })
const lastAsked = (): AskedRequest => {
  const last = shop.asked.at(-1)
  if (last === undefined) throw new Error('nothing was asked')
  return last
}

describe('the tools of an API', () => {
  test('are its operations, described as the document does, without what the configuration decides', async () => {
    const { tools } = await client.listTools()
    expect(tools.map(({ name }) => name)).toEqual(
      ['broken', 'createOrder', 'deleteOrder', 'getOrder', 'hangup', 'large', 'listNumbers', 'listOrders', 'logo', 'moved'].map(
        (name) => `shop__${name}`,
      ),
    )
    const list = tools.find(({ name }) => name === 'shop__listOrders')
    expect(list).toMatchObject({
      title: 'Lists orders',
      annotations: { readOnlyHint: true },
      inputSchema: {
        properties: { status: { items: { enum: ['open', 'paid'] } }, page: { type: 'integer' } },
        additionalProperties: false,
      },
      outputSchema: { properties: { orders: {} } },
    })
    expect(JSON.stringify(list?.inputSchema)).not.toContain('currency')
    const create = tools.find(({ name }) => name === 'shop__createOrder')
    expect(create?.inputSchema).toMatchObject({
      properties: { body: { properties: { item: { type: 'string' }, amount: { type: ['integer', 'null'] } }, required: ['item'] } },
      required: ['body'],
    })
    expect(JSON.stringify(create?.inputSchema)).not.toMatch(/tenant|"id"/)
    expect(JSON.stringify(tools)).not.toContain(secret)
  })

  test('are those that read, where the configuration does not say more', async () => {
    await using reader = await connected('reads')
    expect(await toolNames(reader.client)).not.toContain('reads__createOrder')
    expect(await toolNames(reader.client)).toContain('reads__getOrder')
  })

  test('of a large API are all there', async () => {
    await using large = await connected('large')
    expect(await toolNames(large.client)).toHaveLength(600)
    await large.client.callTool({ name: 'large__putThing299', arguments: { id: '7', body: { field0: 'x' } } })
    expect(lastAsked()).toMatchObject({ method: 'PUT', url: '/things299/7', body: '{"field0":"x"}' })
  })

  test('that cannot be called are told', () => {
    expect(gateway.logs()).toContain('it has servers of its own')
  })
})

async function connected(name: string): Promise<AsyncDisposable & { readonly client: Client }> {
  const own = await connectClient(gateway.url, ada, { gateway: name })
  return { client: own, [Symbol.asyncDispose]: () => own.close() }
}

describe('a call', () => {
  test('is one request, with arguments where the document has them and what is configured', async () => {
    const result = await call('shop__listOrders', { status: ['open', 'paid'], page: 2, filter: { a: { b: 'x y' } }, 'X-Reason': 'audit' })
    expect(shop.asked).toHaveLength(1)
    expect(lastAsked()).toMatchObject({
      method: 'GET',
      url: `/v1/orders?status=open&status=paid&page=2&filter%5Ba%5D%5Bb%5D=x%20y&currency=EUR&key=${secret}`,
      headers: { authorization: `Bearer ${secret}`, 'x-reason': 'audit' },
    })
    expect(result.structuredContent).toMatchObject({ total: 3 })
    expect(JSON.parse(textOf(result as never))).toEqual(result.structuredContent)
  })

  test('has a body with what is fixed in it', async () => {
    await call('shop__createOrder', { body: { item: 'tea', amount: null, tenant: 'other' } })
    expect(JSON.parse(lastAsked().body)).toEqual({ item: 'tea', amount: null, tenant: 't1' })
  })

  test('keeps what is picked of the answer', async () => {
    expect((await call('shop__getOrder', { id: '2' })).structuredContent).toEqual({ id: 2, customer: { name: 'c1' } })
  })

  test('is cut where its answer is long, and shows images as such', async () => {
    expect(textOf((await call('shop__large')) as never)).toMatch(/^"x{999}\n\[cut: 1000 of 20002 bytes\]$/)
    expect((await call('shop__logo')).content).toEqual([
      { type: 'image', data: Buffer.from('png').toString('base64'), mimeType: 'image/png' },
    ])
    expect((await call('shop__listNumbers')).structuredContent).toEqual({ result: [1, 2] })
    expect(textOf((await call('shop__deleteOrder', { id: '1' })) as never)).toContain('204')
  })

  test('that the API refuses is an error of the tool, which says what the API said', async () => {
    expect(await call('shop__getOrder', { id: '77' })).toMatchObject({
      isError: true,
      content: [{ text: 'HTTP 404 Not Found\n{"message":"no such order"}' }],
    })
    expect(await call('shop__broken')).toMatchObject({
      isError: true,
      content: [{ text: 'HTTP 500 Internal Server Error\n{"message":"out of paper"}' }],
    })
  })

  test('is on record as a call of its tool, with the credential of the server and without its secret', async () => {
    await call('shop__getOrder', { id: '3' })
    const record = await gateway.recordThat(
      ({ kind, type, subject, outcome }) => kind === 'tool_call' && type === 'outcome' && subject === 'shop__getOrder' && outcome === 'ok',
    )
    expect(record).toMatchObject({ credential: 'server:shop', upstream: 'shop' })
    expect(JSON.stringify(await gateway.turnRecords())).not.toContain(secret)
    expect(gateway.logs()).not.toContain(secret)
  })

  test('is made with a grant only: what is not granted is not there', async () => {
    const other = await connectClient(gateway.url, bob)
    expect(await toolNames(other)).toEqual(['shop__getOrder'])
    const [unknown, ungranted] = await Promise.all(
      ['shop__nothing', 'shop__listOrders'].map((name) =>
        call(name, {}, other).catch((error: { code: unknown; message: string }) => error.message.replace(name, '')),
      ),
    )
    expect(ungranted).toEqual(unknown)
    await other.close()
    expect(shop.asked).toEqual([])
  })
})

describe('whatever a caller writes', () => {
  test.each([['../../admin'], ['..'], ['1/cancel'], ['%2e%2e%2fadmin'], ['%252fadmin'], ['1\r\nx-evil: 1'], ['..;/admin'], ['']])(
    'a value of the path stays in its place: %j',
    async (value) => {
      expect(await call('shop__getOrder', { id: value })).toMatchObject({ isError: true })
      expect(shop.asked).toEqual([])
    },
  )

  test('what is encoded arrives as it was meant', async () => {
    await call('shop__getOrder', { id: 'a?b=c#d;e&f' })
    expect(lastAsked().url).toBe(`/v1/orders/a%3Fb%3Dc%23d%3Be%26f?key=${secret}`)
  })

  test('no header begins another, and none of the configuration is replaced', async () => {
    expect(await call('shop__listOrders', { 'X-Reason': 'a\r\nauthorization: Bearer mine' })).toMatchObject({ isError: true })
    expect(await call('shop__listOrders', { filter: { key: 'x' }, authorization: 'mine', host: 'evil.example' })).toMatchObject({
      isError: true,
    })
    expect(shop.asked).toEqual([])
  })

  test('what is fixed stays fixed', async () => {
    expect(await call('shop__listOrders', { currency: 'USD' })).toMatchObject({ isError: true })
    expect(shop.asked).toEqual([])
  })
})

describe('whatever an API answers', () => {
  test('a redirect is not followed, so that no credential leaves for another host', async () => {
    const result = await call('shop__moved')
    expect(result).toMatchObject({ isError: true })
    expect(textOf(result as never)).toContain('302')
    expect(textOf(result as never)).not.toContain(thief.url)
    expect(thief.asked).toEqual([])
  })

  test('a connection that ends without an answer is a server that cannot be reached', async () => {
    await expect(call('shop__hangup')).rejects.toMatchObject({ data: { code: 'mcp.server_unavailable' } })
    expect(await call('shop__getOrder', { id: '1' })).not.toMatchObject({ isError: true })
  })

  test('silence ends at the deadline of the server', async () => {
    await using reader = await connected('reads')
    await expect(reader.client.callTool({ name: 'reads__slow', arguments: {} })).rejects.toMatchObject({
      data: { code: 'mcp.server_timeout' },
    })
  })
})

/** As a client that has kept nothing of an earlier list. */
async function listedNow(): Promise<readonly unknown[]> {
  const { message } = await modernRequest({ url: `${gateway.url}/mcp/main`, key: ada }, 'tools/list')
  return (message['result'] as { tools: Json[] }).tools.map(({ name }) => name)
}

describe('a document that changes', () => {
  test('is read again; what of it is new or different is held for a review', async () => {
    const { '/orders/{id}': order, ...others } = shopDocument.paths
    const paths = {
      ...others,
      '/users/{id}': { parameters: order.parameters, get: { ...order.get, operationId: 'getUser' } },
      // The tools of this name look the same and would ask something else.
      '/admin/{id}': order,
    }
    await writeFile(join(gateway.dir, 'shop.yaml'), stringify({ ...shopDocument, paths }))
    await until('the hold', async () => ((await listedNow()).includes('shop__getOrder') ? undefined : true))
    const names = await listedNow()
    expect(names).toContain('shop__listOrders')
    expect(names).not.toContain('shop__getUser')
    await expect(call('shop__getOrder', { id: '1' })).rejects.toMatchObject({ data: { code: 'mcp.tool_held' } })
    expect((await gateway.cli(['tools', 'review'])).stdout).toContain('/admin/{id}')
    await gateway.cli(['tools', 'review', '--approve', 'shop__getOrder'])
  })

  test('and is broken changes nothing of what runs', async () => {
    const before = await gateway.revision()
    await writeFile(join(gateway.dir, 'large.json'), '{"swagger": "2.0"}')
    await until('the problem', () => (gateway.logs().includes('Swagger 2.0') ? true : undefined))
    expect(await gateway.revision()).toBe(before)
    await using large = await connected('large')
    expect(await toolNames(large.client)).toHaveLength(600)
    const checked = await gateway.cli(['check'])
    expect(checked.code).not.toBe(0)
    expect(checked.stdout + checked.stderr).toMatch(/turnward\.yaml:\d+:\d+ .*Swagger 2\.0/)
  })
})
