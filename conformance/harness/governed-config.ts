/** The configuration most suites start from: two vendors, two principals, client-run tools with contracts. */
import { randomBytes } from 'node:crypto'

/** Keys of the two principals and the vendors' credentials, made anew for every run. */
export const secrets = {
  alice: `tw_conformance_alice_${randomBytes(12).toString('hex')}`,
  bob: `tw_conformance_bob_${randomBytes(12).toString('hex')}`,
  openai: `sk-vendor-openai-${randomBytes(12).toString('hex')}`,
  anthropic: `sk-ant-vendor-${randomBytes(12).toString('hex')}`,
}

/** What the configuration reads through `${…}`. */
export const secretEnv: Readonly<Record<string, string>> = {
  ALICE_KEY: secrets.alice,
  BOB_KEY: secrets.bob,
  OPENAI_SECRET: secrets.openai,
  ANTHROPIC_SECRET: secrets.anthropic,
}

export interface Addresses {
  /** Base URL of the vendor that speaks Chat Completions. */
  readonly openai: string
  /** Base URL of the vendor that speaks Messages. */
  readonly anthropic: string
}

/**
 * `gpt-test` is served by the OpenAI vendor, `claude-test` by Anthropic. Alice may use all, Bob only `gpt-test`.
 * Tools that clients run: `web_fetch` brings untrusted text, `get_time` and `read_notes` are harmless, `send_mail` and
 * `delete_file` need a trusted session.
 */
export function governedConfig(addresses: Addresses): Record<string, object> {
  const harmless = { output: { trust: 'trusted' } }
  return {
    listen: { port: 0 },
    credentials: { 'openai-team': { secret: '${OPENAI_SECRET}' }, 'anthropic-team': { secret: '${ANTHROPIC_SECRET}' } },
    upstreams: {
      openai: { kind: 'openai', base_url: addresses.openai, credential: 'openai-team' },
      anthropic: { kind: 'anthropic', base_url: addresses.anthropic, credential: 'anthropic-team' },
    },
    routes: [
      { model: 'gpt-test', upstreams: ['openai'] },
      { model: 'claude-test', upstreams: ['anthropic'] },
    ],
    groups: { staff: {} },
    principals: { alice: { groups: ['staff'], emails: ['alice@example.com'] }, bob: {} },
    keys: { 'alice-key': { principal: 'alice', secret: '${ALICE_KEY}' }, 'bob-key': { principal: 'bob', secret: '${BOB_KEY}' } },
    grants: [
      { principals: ['alice'], models: ['*'], tools: ['*'], gateways: ['*'] },
      { principals: ['bob'], models: ['gpt-test'], tools: ['get_time', 'web_fetch'] },
    ],
    contracts: {
      web_fetch: { output: { trust: 'untrusted' } },
      get_time: harmless,
      read_notes: harmless,
      send_mail: { ...harmless, effects: ['egress'], requires: { trust: 'trusted' } },
      delete_file: { ...harmless, effects: ['mutation'], requires: { trust: 'trusted' } },
    },
  }
}
