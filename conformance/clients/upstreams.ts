/** What the model of a client may speak. A table: one line a dialect, with the kind of upstream that is asked in it. */

interface UpstreamOfRun {
  readonly kind: string
  /** Below the address of the mock model. */
  readonly path: string
  readonly speaks?: string
  readonly region?: string
}

export const upstreams = {
  'chat-completions': { kind: 'groq', path: '/v1' },
  messages: { kind: 'anthropic', path: '/v1' },
  responses: { kind: 'openai', path: '/v1', speaks: 'responses' },
  gemini: { kind: 'gemini', path: '' },
  converse: { kind: 'bedrock', path: '', region: 'us-east-1' },
} as const satisfies Readonly<Record<string, UpstreamOfRun>>

/** `own`: the one that speaks what the client speaks. */
export type UpstreamName = 'own' | keyof typeof upstreams

export const upstreamNames = ['own', ...(Object.keys(upstreams) as (keyof typeof upstreams)[])] as const
