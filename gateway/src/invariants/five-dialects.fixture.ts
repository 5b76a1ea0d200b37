/** A plain conversation in every dialect a client speaks, with every kind of upstream behind it: what holds for one must hold for all. */
import { post } from '../../../conformance/harness/raw-http.ts'
import { type ConfigInput, keys } from './floors.fixture.ts'

export type Said = readonly (readonly ['user' | 'assistant', string])[]

export const forms: Readonly<Record<string, { readonly path: (stream: boolean) => string; readonly body: (said: Said) => object }>> = {
  'chat-completions': {
    path: () => '/v1/chat/completions',
    body: (said) => ({ model: 'm', messages: said.map(([role, content]) => ({ role, content })) }),
  },
  messages: {
    path: () => '/v1/messages',
    body: (said) => ({ model: 'm', max_tokens: 100, messages: said.map(([role, content]) => ({ role, content })) }),
  },
  responses: {
    path: () => '/v1/responses',
    body: (said) => ({ model: 'm', store: false, input: said.map(([role, content]) => ({ role, content })) }),
  },
  gemini: {
    path: (stream) => `/v1beta/models/m:${stream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    body: (said) => ({ contents: said.map(([role, text]) => ({ role: role === 'user' ? 'user' : 'model', parts: [{ text }] })) }),
  },
  converse: {
    path: (stream) => `/model/m/${stream ? 'converse-stream' : 'converse'}`,
    body: (said) => ({ messages: said.map(([role, text]) => ({ role, content: [{ text }] })) }),
  },
}

/** One upstream named `vendor`. */
export const upstreams: Readonly<Record<string, (url: string) => ConfigInput>> = {
  openai: (url) => ({ upstreams: { vendor: { kind: 'openai', base_url: url, credential: 'none' } } }),
  anthropic: (url) => ({ upstreams: { vendor: { kind: 'anthropic', base_url: url, credential: 'none' } } }),
  gemini: (url) => ({
    credentials: { google: { secret: 'a-key-of-google' } },
    upstreams: { vendor: { kind: 'gemini', base_url: url.replace(/\/v1$/, ''), credential: 'google' } },
  }),
  bedrock: (url) => ({
    credentials: { aws: { aws: { access_key_id: 'AKIDRAILS', secret_access_key: 'a-secret-of-aws' } } },
    upstreams: { vendor: { kind: 'bedrock', region: 'us-east-1', base_url: url, credential: 'aws' } },
  }),
}

const bodyOf = (form: string, stream: boolean, said: Said): object => ({
  ...forms[form]?.body(said),
  ...(stream && form !== 'gemini' && form !== 'converse' ? { stream } : {}),
})

export const ask = (url: string, form: string, stream: boolean, said: Said) =>
  post(`${url}${forms[form]?.path(stream)}`, keys.alice, bodyOf(form, stream, said))

/** The words of an answer, however they were cut: those of deltas put together, and every whole text by itself. */
export function wordsIn(text: string, form: string): { readonly deltas: string; readonly wholes: readonly string[] } {
  const strings = [...text.matchAll(/"(delta|text|content)":\s*("(?:[^"\\]|\\.)*")/g)].map(
    ([, field, value = '""']) => [field, JSON.parse(value) as string] as const,
  )
  if (form !== 'responses') return { deltas: strings.map(([, value]) => value).join(''), wholes: [] }
  return {
    deltas: strings.flatMap(([field, value]) => (field === 'delta' ? [value] : [])).join(''),
    wholes: strings.flatMap(([field, value]) => (field !== 'delta' && value !== '' ? [value] : [])),
  }
}

export const dialectsAndUpstreams = Object.keys(forms).flatMap((form) =>
  Object.keys(upstreams).flatMap((kind) => [false, true].map((stream) => ({ form, kind, stream }))),
)
