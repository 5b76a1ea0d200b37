/** Resources inside results come under URIs that clients of the gateway can read; everything else stays as the server wrote it. */
import { expect, test } from 'vitest'
import { largeBody, largeResult } from '../tools/large/large-result.ts'
import { contentsWithShownUris, messagesWithShownUris, withShownUris } from './shown-uris.ts'

const shown = (uri: string): string => (uri.startsWith('demo:') ? `turnward://every/${uri}` : uri)
const later = async () => shown

test('of a tool: what is embedded and what is linked', async () => {
  const text = { type: 'text', text: 'demo://1', uri: 'demo://1' }
  const result = {
    content: [
      text,
      { type: 'resource', resource: { uri: 'demo://1', text: 'demo://1' }, annotations: { priority: 1 } },
      { type: 'resource_link', uri: 'demo://2', name: 'two', 'vendor/unknown': true },
      { type: 'resource_link', uri: 'own://3', name: 'three' },
      { type: 'resource', resource: 'not one' },
    ],
    structuredContent: { uri: 'demo://1' },
  }
  expect(await withShownUris(result, later)).toEqual({
    content: [
      text,
      { type: 'resource', resource: { uri: 'turnward://every/demo://1', text: 'demo://1' }, annotations: { priority: 1 } },
      { type: 'resource_link', uri: 'turnward://every/demo://2', name: 'two', 'vendor/unknown': true },
      { type: 'resource_link', uri: 'own://3', name: 'three' },
      { type: 'resource', resource: 'not one' },
    ],
    structuredContent: { uri: 'demo://1' },
  })
})

test('nobody is asked where nothing is a resource', async () => {
  const never = () => Promise.reject(new Error('asked'))
  for (const result of [{ content: [{ type: 'text', text: 'demo://1' }] }, { content: 'demo://1' }, {}])
    expect(await withShownUris(result, never)).toBe(result)
  for (const result of [{ messages: [{ role: 'user', content: { type: 'text', text: 'demo://1' } }, 'odd'] }, {}])
    expect(await messagesWithShownUris(result, never)).toBe(result)
})

test('of a prompt, and of a read', async () => {
  const question = { role: 'user', content: { type: 'text', text: 'What is this?' } }
  const embedded = { role: 'user', content: { type: 'resource', resource: { uri: 'demo://1', blob: 'AA==' } } }
  expect(await messagesWithShownUris({ messages: [question, embedded] }, later)).toEqual({
    messages: [question, { role: 'user', content: { type: 'resource', resource: { uri: 'turnward://every/demo://1', blob: 'AA==' } } }],
  })
  expect(contentsWithShownUris({ contents: [{ uri: 'demo://1', text: 'a' }, { uri: 'own://2' }, 'odd'], _meta: {} }, shown)).toEqual({
    contents: [{ uri: 'turnward://every/demo://1', text: 'a' }, { uri: 'own://2' }, 'odd'],
    _meta: {},
  })
})

test('a large result is not read where nothing of it changes', async () => {
  const fields = new Map([['content', 'other'] as const])
  const large = (uris: readonly string[] | undefined, text: string) =>
    largeResult({ isError: false }, { text: Buffer.from(text), fields, digest: '', texts: [], uris: uris && new Set(uris) })
  const unread = large(['own://3'], 'whoever reads this gets nothing')
  expect(await withShownUris(unread, later)).toBe(unread)
  expect(await messagesWithShownUris(unread, later)).toBe(unread)
  expect(contentsWithShownUris(unread, shown)).toBe(unread)
  const linked = '{"content":[{"type":"resource_link","uri":"demo://1"}]}'
  for (const changed of [large(['demo://1'], linked), large(undefined, linked)]) {
    const result = await withShownUris(changed, later)
    expect(result).toEqual({ isError: false, content: [{ type: 'resource_link', uri: 'turnward://every/demo://1' }] })
    expect(largeBody(result)).toBeUndefined()
  }
})
