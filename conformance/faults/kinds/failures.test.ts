/**
 * Upstreams of every dialect that fail as bug reports tell of it, with status 200 or another: nothing has gone out, so the next
 * one answers; with nobody left, a client of every dialect is told in the vendor's words, without the credential in any form.
 */
import { randomUUID } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frame, eventStreamHeaders } from '../../harness/converse-wire.ts'
import { secrets } from '../../harness/governed-config.ts'
import type { Json } from '../../harness/json.ts'
import { say } from '../../harness/model-answer.ts'
import type { VendorReply } from '../../harness/vendor.ts'
import { type Wire, wireNames } from '../breaking-wires.ts'
import { hear } from './clients.ts'
import { type Kinds, startKinds, upstreamOf } from './gateway.ts'
import { bodyOf, eventsOf, streamReply } from './vendor-events.ts'

/** A credential with characters that JSON and addresses write in other ways. */
const credential = 'sk-vendor/with+odd"chars=12345678'
const words = `Overloaded, said with ${credential} of all things`

let kinds: Kinds
beforeAll(async () => {
  kinds = await startKinds((config, url) => ({
    ...config,
    credentials: { 'openai-team': { secret: credential }, 'anthropic-team': { secret: credential } },
    upstreams: {
      ...config['upstreams'],
      spare: { kind: 'openai', base_url: url, credential: 'openai-team', speaks: 'chat-completions' },
      ...Object.fromEntries(wireNames.map((wire) => [`edge-${wire}`, upstreamOf(wire, url.replace(/\/v1$/, '/edge/v1'))])),
    },
    routes: wireNames.flatMap((wire) => [
      { model: `${wire}-alone`, upstreams: [{ upstream: wire, model: 'first-model' }] },
      { model: `${wire}-edge`, upstreams: [{ upstream: `edge-${wire}`, model: 'first-model' }] },
      {
        model: `${wire}-spared`,
        upstreams: [
          { upstream: wire, model: 'first-model' },
          { upstream: 'spare', model: 'spare-model' },
        ],
      },
    ]),
  }))
})
afterAll(() => kinds.close())

/** An error as a vendor of each dialect tells of it inside of a stream. */
const errorEvents: Readonly<Record<Wire, () => VendorReply>> = {
  openai: () => streamReply('openai', [{ data: { error: { message: words, type: 'server_error', param: null, code: null } } }]),
  anthropic: () =>
    streamReply('anthropic', [{ type: 'error', data: { type: 'error', error: { type: 'overloaded_error', message: words } } }]),
  responses: () =>
    streamReply('responses', [
      { type: 'error', data: { type: 'error', code: 'server_error', message: words, param: null, sequence_number: 0 } },
    ]),
  gemini: () => streamReply('gemini', [{ data: { error: { code: 503, message: words, status: 'UNAVAILABLE' } } }]),
  converse: () => ({ headers: eventStreamHeaders, parts: [frame('serviceUnavailableException', { message: words })] }),
}

/** The same as a whole body. */
const errorBodies: Readonly<Record<Wire, Json>> = {
  openai: { error: { message: words, type: 'server_error', param: null, code: null } },
  anthropic: { type: 'error', error: { type: 'overloaded_error', message: words } },
  responses: { error: { message: words, type: 'server_error', param: null, code: null } },
  gemini: { error: { code: 503, message: words, status: 'UNAVAILABLE' } },
  converse: { message: words },
}

const failures: readonly {
  readonly name: string
  readonly stream: boolean
  readonly tells: boolean
  readonly reply: (wire: Wire) => VendorReply
}[] = [
  { name: 'an error as its first event', stream: true, tells: true, reply: (wire) => errorEvents[wire]() },
  { name: 'an error after its beginning', stream: true, tells: true, reply: (wire) => begun(wire) },
  { name: 'nothing in a stream', stream: true, tells: false, reply: (wire) => streamReply(wire, []) },
  {
    name: 'a page in place of a stream',
    stream: true,
    tells: false,
    reply: () => ({ headers: { 'content-type': 'text/html' }, parts: ['<html>Sorry</html>'] }),
  },
  {
    name: 'an error with status 503',
    stream: false,
    tells: true,
    reply: (wire) => ({ status: 503, parts: [JSON.stringify(errorBodies[wire])] }),
  },
  {
    name: 'an error in a list',
    stream: false,
    tells: true,
    reply: (wire) => ({ status: 503, parts: [JSON.stringify([errorBodies[wire]])] }),
  },
  {
    name: 'an error, packed',
    stream: false,
    tells: true,
    reply: (wire) => ({ status: 503, headers: { 'content-encoding': 'gzip' }, parts: [gzipSync(JSON.stringify(errorBodies[wire]))] }),
  },
  { name: 'nothing', stream: false, tells: false, reply: () => ({ parts: [] }) },
  {
    name: 'a page',
    stream: false,
    tells: false,
    reply: () => ({ headers: { 'content-type': 'text/html' }, parts: ['<html>Sorry</html>'] }),
  },
  { name: 'null', stream: false, tells: false, reply: () => ({ parts: ['null'] }) },
  {
    name: 'a redirect',
    stream: false,
    tells: false,
    reply: () => ({ status: 307, headers: { location: 'https://elsewhere.example/' }, parts: [] }),
  },
]

/** A stream that has said nothing but that it begins. */
function begun(wire: Wire): VendorReply {
  const first = eventsOf(wire, { text: '' }).slice(0, wire === 'gemini' ? 0 : 1)
  const { headers = {}, parts } = streamReply(wire, first)
  return { headers, parts: [...parts, ...errorEvents[wire]().parts] }
}

const cases = failures.flatMap((failure) => wireNames.map((upstream) => ({ ...failure, upstream })))

const ask = (client: Wire, route: string, stream: boolean): ReturnType<typeof hear> =>
  hear(client, { url: kinds.url, key: secrets.alice, model: route, stream, session: randomUUID() })

// Whoever has been told that an answer begins is told how it ends.
describe.each(cases.filter(({ name }) => !name.includes('after its beginning')))(
  'a $upstream upstream that answers with $name',
  ({ stream, reply, upstream }) => {
    test('is passed over for the next one', async () => {
      kinds.vendor.respond((request) =>
        request.body['model'] === 'spare-model' ? say(request, { text: 'From the spare one.' }) : reply(upstream),
      )
      for (const client of wireNames)
        expect(await ask(client, `${upstream}-spared`, stream), client).toMatchObject({ text: 'From the spare one.', end: 'stop' })
    })
  },
)

describe.each(cases)('a $upstream upstream that answers with $name, when nobody else can', ({ stream, tells, reply, upstream }) => {
  test('is told of without its credential', async () => {
    kinds.vendor.respond(() => reply(upstream))
    for (const client of wireNames) {
      const heard = await ask(client, `${upstream}-alone`, stream)
      const told = 'error' in heard ? heard.error : `heard ${JSON.stringify(heard)}`
      expect(told, client).not.toMatch(/^heard|sk-vendor|odd.*chars=|elsewhere\.example/)
      if (tells) expect(told, client).toContain('Overloaded, said with')
    }
  })
})

test.each(wireNames)('an answer of %s is read however it is packed', async (upstream) => {
  for (const stream of [false, true]) {
    kinds.vendor.respond(() => {
      const { headers = {}, parts } = stream
        ? streamReply(upstream, eventsOf(upstream, { text: 'Packed.' }))
        : { parts: [JSON.stringify(bodyOf(upstream, { text: 'Packed.' }))] }
      const bytes = Buffer.concat(parts.map((part) => Buffer.from(part as string)))
      return { headers: { ...headers, 'content-encoding': 'gzip' }, parts: [gzipSync(bytes)] }
    })
    for (const client of wireNames) {
      expect(await ask(client, `${upstream}-alone`, stream), client).toMatchObject({ text: 'Packed.', end: 'stop' })
    }
  }
})

test.each(wireNames)('a path in the address of a %s upstream is kept', async (upstream) => {
  kinds.vendor.respond((request) => say(request, { text: 'From behind the edge.' }))
  expect(await ask(upstream, `${upstream}-edge`, false)).toMatchObject({ text: 'From behind the edge.' })
  expect(kinds.vendor.last().path).toMatch(/^\/edge\//)
})
