/** For tests of this room: policies compiled from configuration as it is written, and the nouns around them. */
import { configSchema } from '@turnward/contract/config'
import type { z } from 'zod'
import type { JsonObject } from '../core/json.ts'
import type { Principal } from '../core/principal.ts'
import { compilePolicy } from './compile-policy.ts'
import { emptyLedger } from './effects.ts'
import { publicLabel } from './label.ts'
import type { Grantee, Policy, PolicyState, ToolCallEvent, ToolHints, ToolSubject } from './types.ts'

export type ConfigInput = z.input<typeof configSchema>

export const everyone: ConfigInput['grants'] = [{ principals: ['*'], tools: ['*'] }]

export const people: ConfigInput['principals'] = {
  alice: { groups: ['hr', 'support'], emails: ['alice@corp.example'] },
  bob: { groups: ['support'], emails: ['bob@corp.example', 'bob@home.example'] },
  carol: { groups: ['interns'] },
}

/** A policy without problems, with everyone granted everything and three people, unless said otherwise. */
export function policyOf(config: ConfigInput): Policy {
  const { policy, problems } = compilePolicy(configSchema.parse({ grants: everyone, principals: people, ...config }))
  if (problems.length > 0) throw new Error(JSON.stringify(problems))
  return policy
}

/** Problems of a configuration, as `path: message`. */
export function problemsOf(config: ConfigInput): readonly string[] {
  return compilePolicy(configSchema.parse(config)).problems.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

export function principal(id: string, groups: readonly string[] = [], emails: readonly string[] = []): Principal {
  return { id, kind: 'human', groups, emails, credentials: new Map() }
}

export const alice = principal('alice', ['hr', 'support'], ['alice@corp.example'])

export function tool(name: string, hints?: ToolHints): ToolSubject {
  return { name, server: name.split('__')[0] ?? name, hints }
}

export function call(name: string, args: JsonObject = {}, more: Partial<ToolCallEvent> & Partial<Grantee> = {}): ToolCallEvent {
  const { principal: who = alice, actor = null, ...event } = more
  return { tool: tool(name), args, caller: { principal: who, actor }, gateway: null, callKey: 'call-1', ...event }
}

export function fresh(policy: Policy): PolicyState {
  return { label: publicLabel(policy.trustRanks.length - 1), effects: emptyLedger }
}
