/**
 * Names of models in addresses: where a vendor has the model in the path, no name that a client of any dialect sends leads
 * anywhere else than to a model, adds a query, or becomes a second request.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { say } from '../../harness/model-answer.ts'
import { type Wire, wireNames } from '../breaking-wires.ts'
import { ask } from './asking.ts'
import { type Kinds, startKinds, upstreamOf } from './gateway.ts'

const placed = ['gemini', 'converse', 'azure'] as const

let kinds: Kinds
beforeAll(async () => {
  kinds = await startKinds((config, url) => ({
    ...config,
    upstreams: {
      gemini: upstreamOf('gemini', url),
      converse: upstreamOf('converse', url),
      azure: {
        kind: 'azure',
        base_url: url.replace(/\/v1$/, ''),
        api_version: '2024-10-21',
        credential: 'openai-team',
        speaks: 'chat-completions',
      },
    },
    routes: placed.map((upstream) => ({ model: `${upstream}/*`, upstreams: [{ upstream, model: '*' }] })),
  }))
})
afterAll(() => kinds.close())

const names = [
  '..',
  '.',
  '../../admin',
  '..%2f..%2fadmin',
  '%2e%2e/%2e%2e/admin',
  'a/../../b',
  'a?key=stolen',
  'a#fragment',
  'a:countTokens',
  'a:streamGenerateContent?alt=sse&key=',
  'a\\..\\b',
  'a b',
  'a\r\nhost: evil.example',
  'a\u0000b',
  '\u202egnp.exe',
  '.\u2024',
  'ünï',
  '//evil.example/',
  'arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-pro-v1:0',
  'a'.repeat(3000),
]

/** Paths that an upstream may be asked at, once everybody who reads an address has read it. */
const allowed: Readonly<Record<(typeof placed)[number], RegExp>> = {
  gemini: /^\/v1beta\/models\/[^/?#:]+:generateContent$/,
  converse: /^\/model\/[^/?#]+\/converse$/,
  azure: /^\/openai\/deployments\/[^/?#]+\/chat\/completions\?api-version=2024-10-21$/,
}

describe.each(placed)('at a %s upstream', (upstream) => {
  test.each(wireNames)('a name that a client of %s sends stays in its place', async (client: Wire) => {
    for (const name of names) {
      let path: string | undefined
      kinds.vendor.respond((request) => {
        path = request.path
        return say(request, { text: 'Hello.' })
      })
      const model = `${upstream}/${name}`
      const inPath = ['gemini', 'converse'].includes(client) ? encodeURIComponent(model) : model
      const { status } = await ask(kinds.url, client, inPath, {})
      if (path === undefined) expect([status >= 400 && status < 500, name]).toEqual([true, name])
      else {
        expect(path).toMatch(allowed[upstream])
        // Whoever normalises it on the way gets the same.
        const { pathname, search } = new URL(path, 'http://vendor.example')
        expect(pathname + search).toBe(path)
        expect(kinds.vendor.last().headers.host).not.toContain('evil')
      }
    }
  })
})
