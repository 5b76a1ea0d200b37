/** Three vendors behind one route, and how each dialect asks for it. Not part of the product. */
import { say } from '../../../../conformance/harness/model-answer.ts'
import { startVendor, type Responder, type Vendor } from '../../../../conformance/harness/vendor.ts'
import { configOf, type ConfigInput, type Floors, type FloorsOptions, keys, openFloors } from '../../invariants/floors.fixture.ts'

export type Route = NonNullable<ConfigInput['routes']>[number]

export const text = (of: string): string => `go on with ${of}`

/** How each dialect asks, streamed or not. */
export const dialects = {
  'chat-completions': (stream: boolean, said: string) => ({
    path: '/v1/chat/completions',
    body: { model: 'm', stream, messages: [{ role: 'user', content: said }] },
  }),
  messages: (stream: boolean, said: string) => ({
    path: '/v1/messages',
    body: { model: 'm', max_tokens: 10, stream, messages: [{ role: 'user', content: said }] },
  }),
  responses: (stream: boolean, said: string) => ({ path: '/v1/responses', body: { model: 'm', stream, input: said } }),
  gemini: (stream: boolean, said: string) => ({
    path: stream ? '/v1beta/models/m:streamGenerateContent?alt=sse' : '/v1beta/models/m:generateContent',
    body: { contents: [{ role: 'user', parts: [{ text: said }] }] },
  }),
  converse: (stream: boolean, said: string) => ({
    path: stream ? '/model/m/converse-stream' : '/model/m/converse',
    body: { messages: [{ role: 'user', content: [{ text: said }] }] },
  }),
} as const
export type DialectName = keyof typeof dialects

export const forms = (Object.keys(dialects) as DialectName[]).flatMap((dialect) =>
  [false, true].map((stream) => [dialect, stream] as const),
)

export interface Fleet extends AsyncDisposable {
  readonly floors: Floors
  readonly vendors: Readonly<Record<'a' | 'b' | 'c', Vendor>>
  /** How many requests each has had. */
  asked(): Record<string, number>
}

export const answering: Responder = (request) => say(request, { text: 'Done.', usage: { input: 10, output: 2 } })

/** `patience`: settings of every upstream. `like`: vendors that are there already; whoever started them ends them. */
export async function open(
  route: Partial<Omit<Route, 'model'>> = {},
  more: ConfigInput = {},
  patience: object = {},
  like?: Fleet['vendors'],
  state?: FloorsOptions['state'],
): Promise<Fleet> {
  const { a, b, c } = like ?? { a: await startVendor(answering), b: await startVendor(answering), c: await startVendor(answering) }
  const upstream = ({ url }: Vendor) => ({
    kind: 'openai' as const,
    base_url: url,
    credential: 'none',
    breaker: { failures: 2 },
    ...patience,
  })
  const config = configOf({
    upstreams: { a: upstream(a), b: upstream(b), c: upstream(c) },
    routes: [{ model: 'm', upstreams: ['a', 'b', 'c'], ...route }],
    ...more,
  })
  const floors = await openFloors({ config, ...(state === undefined ? {} : { state }) })
  return {
    floors,
    vendors: { a, b, c },
    asked: () => ({ a: a.requests.length, b: b.requests.length, c: c.requests.length }),
    async [Symbol.asyncDispose]() {
      await floors[Symbol.asyncDispose]()
      if (like === undefined) await Promise.all([a.close(), b.close(), c.close()])
    },
  }
}

export async function ask(
  { floors }: Fleet,
  dialect: DialectName = 'chat-completions',
  stream = false,
  said = text('it'),
  session?: string,
  signal?: AbortSignal,
) {
  const { path, body } = dialects[dialect](stream, said)
  const headers = {
    authorization: `Bearer ${keys.alice}`,
    'content-type': 'application/json',
    ...(session === undefined ? {} : { 'x-turnward-session': session }),
  }
  const answer = await fetch(`${floors.url}${path}`, {
    method: 'POST',
    headers,
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  })
  return { status: answer.status, text: await answer.text() }
}

export const decisions = ({ floors }: Fleet) =>
  floors.log.records
    .filter(({ type, kind }) => type === 'decision' && kind === 'model_call')
    .map(({ upstream, routing }) => ({ upstream, ...routing }))
