/** What the tests need to put a vendor behind the floors: both dialects, streamed or not. */
import { configOf, type ConfigInput } from './floors.fixture.ts'

export interface Wire {
  readonly kind: 'openai' | 'anthropic'
  readonly path: string
  readonly stream: boolean
}

export const wires: readonly Wire[] = (['openai', 'anthropic'] as const).flatMap((kind) =>
  [false, true].map((stream) => ({ kind, path: kind === 'openai' ? '/v1/chat/completions' : '/v1/messages', stream })),
)

export const vendorSecret = 'sk-vendor-of-the-invariants'

/** A configuration whose every model is served by one vendor. */
export function vendorConfig(kind: Wire['kind'], url: string, parts: ConfigInput = {}): ConfigInput {
  return configOf({
    credentials: { team: { secret: vendorSecret } },
    upstreams: { vendor: { kind, base_url: url, credential: 'team' } },
    routes: [{ model: '*', upstreams: ['vendor'] }],
    ...parts,
  })
}
