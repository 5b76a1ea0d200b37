/** A small REST API over real sockets that keeps what it was asked, and its document. Knows nothing of MCP. */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface AskedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export interface ShopApi extends AsyncDisposable {
  /** `http://127.0.0.1:port`. */
  readonly url: string
  /** Everything that was asked so far. */
  readonly asked: AskedRequest[]
  /** Lets requests to `/slow` go. */
  letGo(): void
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString('utf8')
}

/** Starts the shop. `elsewhere`: where its redirects lead. */
export async function startShop(elsewhere = 'http://127.0.0.1:9'): Promise<ShopApi> {
  const asked: AskedRequest[] = []
  let letGo: () => void = () => {}
  const gone = new Promise<void>((resolve) => (letGo = resolve))
  const orders = Array.from({ length: 3 }, (_, at) => ({
    id: at + 1,
    status: at === 0 ? 'open' : 'paid',
    customer: { name: `c${at}`, card: '4111' },
  }))
  const server: Server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { method = '', url = '', headers } = request
      asked.push({ method, url, headers, body: await bodyOf(request) })
      const { pathname } = new URL(url, 'http://shop.example')
      const json = (status: number, value: unknown): void =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
      if (pathname === '/v1/orders' && method === 'GET') return json(200, { total: orders.length, orders })
      if (pathname === '/v1/orders' && method === 'POST') return json(201, { id: 99 })
      if (pathname === '/v1/list') return json(200, [1, 2])
      if (pathname === '/v1/moved') return void response.writeHead(302, { location: `${elsewhere}/stolen` }).end()
      if (pathname === '/v1/broken') return json(500, { message: 'out of paper' })
      if (pathname === '/v1/logo') return void response.writeHead(200, { 'content-type': 'image/png' }).end('png')
      if (pathname === '/v1/slow') return void gone.then(() => json(200, {}))
      if (pathname === '/v1/large')
        return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify('x'.repeat(20_000)))
      if (pathname === '/v1/hangup') return void request.socket.destroy()
      if (method === 'DELETE') return void response.writeHead(204).end()
      const order = orders.find(({ id }) => pathname === `/v1/orders/${id}`)
      return order === undefined ? json(404, { message: 'no such order' }) : json(200, order)
    }
    answer().catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    letGo: () => letGo(),
    async [Symbol.asyncDispose]() {
      letGo()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' } }
const get = (operationId: string, more: object = {}): object => ({ get: { operationId, responses: { 200: { description: '' } }, ...more } })

/** Its document, as people write them: YAML features aside, with references, parameters of all kinds and things that cannot be tools. */
export const shopDocument = {
  openapi: '3.0.3',
  info: { title: 'Shop', version: '1' },
  servers: [{ url: '/v1' }],
  paths: {
    '/orders': {
      get: {
        operationId: 'listOrders',
        summary: 'Lists orders',
        tags: ['orders'],
        parameters: [
          { name: 'status', in: 'query', schema: { type: 'array', items: { type: 'string', enum: ['open', 'paid'] } } },
          { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1 } },
          { name: 'filter', in: 'query', style: 'deepObject', explode: true, schema: { type: 'object' } },
          { name: 'X-Reason', in: 'header', schema: { type: 'string' } },
          { name: 'currency', in: 'query', required: true, schema: { type: 'string' } },
        ],
        responses: { 200: { description: '', content: { 'application/json': { schema: { $ref: '#/components/schemas/Orders' } } } } },
      },
      post: {
        operationId: 'createOrder',
        summary: 'Creates an order',
        tags: ['orders'],
        requestBody: { required: true, content: { 'application/json': { schema: { $ref: '#/components/schemas/NewOrder' } } } },
        responses: { 201: { description: '' } },
      },
    },
    '/orders/{id}': {
      parameters: [id],
      get: { operationId: 'getOrder', tags: ['orders'], responses: { 200: { description: '' } } },
      delete: { operationId: 'deleteOrder', tags: ['orders'], responses: { 204: { description: '' } } },
    },
    '/list': get('listNumbers'),
    '/moved': get('moved'),
    '/broken': get('broken'),
    '/logo': get('logo'),
    '/slow': get('slow'),
    '/large': get('large'),
    '/hangup': get('hangup'),
    '/elsewhere': get('elsewhere', { servers: [{ url: 'https://elsewhere.example' }] }),
  },
  components: {
    schemas: {
      Order: {
        type: 'object',
        properties: { id: { type: 'integer' }, status: { type: 'string' }, customer: { type: 'object' } },
        required: ['id'],
      },
      Orders: {
        type: 'object',
        properties: { total: { type: 'integer' }, orders: { type: 'array', items: { $ref: '#/components/schemas/Order' } } },
      },
      NewOrder: {
        type: 'object',
        required: ['item', 'tenant'],
        properties: {
          id: { type: 'integer', readOnly: true },
          item: { type: 'string' },
          amount: { type: 'integer', nullable: true },
          tenant: { type: 'string' },
        },
      },
    },
  },
}

/** A document of so many operations, each with parameters, a body and shared schemas. */
export function largeDocument(operations: number): object {
  const schemas = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [
      `Thing${at}`,
      {
        type: 'object',
        description: `Thing number ${at}.`,
        properties: {
          ...Object.fromEntries(
            Array.from({ length: 12 }, (_, field) => [`field${field}`, { type: 'string', description: `Field ${field} of thing ${at}.` }]),
          ),
          next: { $ref: `#/components/schemas/Thing${(at + 1) % 60}` },
        },
      },
    ]),
  )
  const paths = Object.fromEntries(
    Array.from({ length: operations / 2 }, (_, at) => [
      `/things${at}/{id}`,
      {
        parameters: [id],
        ...get(`getThing${at}`, {
          summary: `Reads thing ${at}`,
          parameters: [{ name: 'expand', in: 'query', schema: { type: 'boolean' } }],
        }),
        put: {
          operationId: `putThing${at}`,
          summary: `Replaces thing ${at}`,
          requestBody: { content: { 'application/json': { schema: { $ref: `#/components/schemas/Thing${at % 60}` } } } },
          responses: { 200: { description: '' } },
        },
      },
    ]),
  )
  return { openapi: '3.1.0', info: { title: 'Large', version: '1' }, paths, components: { schemas } }
}
