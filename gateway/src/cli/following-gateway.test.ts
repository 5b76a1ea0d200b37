/** A terminal that follows a gateway: goes on where it was after a lost connection, and ends with what the gateway refuses. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { followGateway } from './following-gateway.ts'

const event = (id: number): string =>
  `event: decisions\ndata: {"decisions":[{"writer":0,"seq":${id},"hash":"","record":{}}]}\nid: ${id}\n\n`

/** Answers one request after the other, each in its own way. */
async function serve(...answers: readonly ((request: IncomingMessage, response: ServerResponse) => void)[]) {
  let at = 0
  const server = createServer((request, response) => answers[Math.min(at++, answers.length - 1)]?.(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const refuse =
  (status: number, code: string) =>
  (_request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { code, message: code } }))

async function follow(url: string): Promise<{ seen: (number | string)[]; code: string | undefined }> {
  const seen: (number | string)[] = []
  try {
    for await (const one of followGateway({ url, key: 'tw_x' }, { last: 5, signal: new AbortController().signal }))
      seen.push('gap' in one ? one.gap.reason : one.decision.seq)
  } catch (error) {
    return { seen, code: (error as { code: string }).code }
  }
  return { seen, code: undefined }
}

test('an event that has not come whole does not count, and what it told comes again', async () => {
  const asked: (string | undefined)[] = []
  const note = ({ headers, url }: IncomingMessage): void => void asked.push(`${url} ${String(headers['last-event-id'])}`)
  await using gateway = await serve(
    (request, response) => {
      note(request)
      response.write(`retry: 1\nid: 0\n\n:\n\n${event(1)}${event(2).slice(0, 60)}`, () => response.destroy())
    },
    refuse(503, 'gateway.draining'),
    refuse(429, 'request.too_often'),
    (request, response) => {
      note(request)
      response.end(`event: gap\ndata: {"reason":"behind","count":3,"writers":[]}\n\n${event(2)}`)
    },
    refuse(401, 'auth.unknown_key'),
  )
  expect(await follow(gateway.url)).toEqual({ seen: [1, 'behind', 2], code: 'auth.unknown_key' })
  expect(asked).toEqual(['/api/live?last=5 undefined', '/api/live?last=5 1'])
})

test('what is refused at first, and nobody who answers, end it', async () => {
  await using gateway = await serve(refuse(503, 'audit.busy'))
  expect(await follow(gateway.url)).toEqual({ seen: [], code: 'audit.busy' })
  await gateway[Symbol.asyncDispose]()
  expect(await follow(gateway.url)).toEqual({ seen: [], code: 'gateway.unreachable' })
})
