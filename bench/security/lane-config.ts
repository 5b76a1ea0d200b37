/** The configuration of a gateway for the cases of one suite. Each case is a principal of its own: what one has read marks no other. */
import { fileURLToPath } from 'node:url'
import { askingPolicy } from './asking-policy.ts'
import type { Suite } from './suites.ts'

/** `off`: everything is decided and recorded, nothing but a missing grant is enforced. `asked`: on, and a person is asked instead of refusing. */
export type Defence = 'off' | 'on' | 'asked'

/** Who is asked. */
const approver = 'approver'

/** What `--policy` names. */
export const policies = ['roles-3', 'roles-2', 'roles', 'after-strangers-words'] as const
export type PolicyName = (typeof policies)[number]

export function policyFileOf(policy: PolicyName): string {
  return fileURLToPath(new URL(`policies/${policy}.yaml`, import.meta.url))
}

export interface LaneTargets {
  readonly policy: PolicyName
  readonly suite: Suite
  readonly defence: Defence
  readonly modelUrl: string
  readonly mcpUrl: string
  /** A key for each case. */
  readonly keys: readonly string[]
  /** Of whoever is asked. */
  readonly approverKey: string
}

/** Principal of a case. */
export function principalOf(index: number): string {
  return `case-${index}`
}

export function laneConfig({ policy: policyName, suite, defence, modelUrl, mcpUrl, keys, approverKey }: LaneTargets): object {
  const policyFile = policyFileOf(policyName)
  const policy = defence === 'asked' ? (askingPolicy(policyFile, approver) as { readonly principals: object }) : undefined
  return {
    version: 1,
    ...(policy ?? { include: [policyFile] }),
    data_dir: 'data',
    listen: { host: '127.0.0.1', port: 0 },
    credentials: { model: { secret: 'sk-of-the-scripted-model' } },
    upstreams: { model: { kind: 'openai-compatible', base_url: modelUrl, credential: 'model' } },
    routes: [{ model: 'gullible', upstreams: ['model'] }],
    principals: {
      ...policy?.principals,
      ...Object.fromEntries(keys.map((_, index) => [principalOf(index), { groups: ['owner'] }])),
      [approver]: {},
    },
    keys: {
      ...Object.fromEntries(
        keys.map((secret, index) => [principalOf(index), { principal: principalOf(index), consumer: 'bench', actor: 'agent', secret }]),
      ),
      [approver]: { principal: approver, scopes: ['admin'], secret: approverKey },
    },
    grants: [{ groups: ['owner'], models: ['gullible'], gateways: [suite], tools: [`${suite}__*`] }],
    servers: { [suite]: { transport: 'http', url: mcpUrl, era: 'modern' } },
    gateways: { [suite]: { servers: [suite] } },
    policy: { posture: defence === 'off' ? 'observe' : 'standard' },
    // The longest instruction wants eleven calls one after the other: when all are refused the task still goes on behind them.
    turns: { max_splices: 16 },
  }
}
