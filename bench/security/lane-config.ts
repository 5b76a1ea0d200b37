/** The configuration of a gateway for the cases of one suite. Each case is a principal of its own: what one has read marks no other. */
import { fileURLToPath } from 'node:url'
import type { Suite } from './suites.ts'

/** `off`: everything is decided and recorded, nothing but a missing grant is enforced. */
export type Defence = 'off' | 'on'

export const policyFile = fileURLToPath(new URL('policies/after-strangers-words.yaml', import.meta.url))

export interface LaneTargets {
  readonly suite: Suite
  readonly defence: Defence
  readonly modelUrl: string
  readonly mcpUrl: string
  /** A key for each case. */
  readonly keys: readonly string[]
}

export function laneConfig({ suite, defence, modelUrl, mcpUrl, keys }: LaneTargets): object {
  return {
    version: 1,
    include: [policyFile],
    data_dir: 'data',
    listen: { host: '127.0.0.1', port: 0 },
    credentials: { model: { secret: 'sk-of-the-scripted-model' } },
    upstreams: { model: { kind: 'openai-compatible', base_url: modelUrl, credential: 'model' } },
    routes: [{ model: 'gullible', upstreams: ['model'] }],
    principals: Object.fromEntries(keys.map((_, index) => [`case-${index}`, { groups: ['owner'] }])),
    keys: Object.fromEntries(
      keys.map((secret, index) => [`case-${index}`, { principal: `case-${index}`, consumer: 'bench', actor: 'agent', secret }]),
    ),
    grants: [{ groups: ['owner'], models: ['gullible'], gateways: [suite], tools: [`${suite}__*`] }],
    servers: { [suite]: { transport: 'http', url: mcpUrl, era: 'modern' } },
    gateways: { [suite]: { servers: [suite] } },
    policy: { posture: defence === 'on' ? 'standard' : 'observe' },
    // The longest instruction wants eleven calls one after the other: when all are refused the task still goes on behind them.
    turns: { max_splices: 16 },
  }
}
