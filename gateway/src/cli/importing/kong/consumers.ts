/** Consumers, their groups and their keys; and which of them may ask for what. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { takeKey } from '../gateways/taking-key.ts'
import { leftOfConsumer } from './left-out.ts'
import { consumerName, type KongPlugin } from './plugins.ts'
import type { TakenProxy } from './proxies.ts'

/** All consumers, and by the names that their groups have there. */
export interface TakenConsumers {
  readonly all: string | undefined
  readonly groups: ReadonlyMap<string, string>
  /** Name there -> name of the principal, which is the name of the consumer too. */
  readonly consumers: ReadonlyMap<string, string>
}

export function takeConsumers(root: Foreign, draft: Draft, texts: ForeignTexts): TakenConsumers {
  const consumers = (root.get('consumers')?.items() ?? []).flatMap((whole) => {
    const name = consumerName(whole)
    return name === undefined ? [] : [{ whole, name }]
  })
  const groups = new Map<string, string>()
  const group = (from: Foreign | undefined): string | undefined => {
    const name = from?.text()
    if (from === undefined || name === undefined) return undefined
    const known = groups.get(name)
    const entry = new DraftEntry().from(from, '')
    if (known !== undefined) {
      entry.taken(`groups.${known}`)
      return known
    }
    const taken = draft.add('groups', name, entry)
    if (taken !== undefined) groups.set(name, taken)
    return taken
  }
  const taken = new Map<string, string>()
  const members = new Map<string, string[]>()
  for (const item of root.get('consumer_groups')?.items() ?? []) {
    const name = group(item.get('name'))
    for (const member of item.get('consumers')?.items() ?? []) {
      const username = member.get('username') ?? member
      const consumer = username.text() ?? ''
      if (name === undefined || !consumers.some((one) => one.name === consumer)) continue
      members.set(consumer, [...(members.get(consumer) ?? []), name])
      username.carried(`groups.${name}`)
    }
  }
  const all = consumers.length === 0 ? undefined : draft.add('groups', 'kong-consumers', new DraftEntry())
  for (const { whole, name } of consumers) {
    const listed = [
      ...(whole.get('groups')?.items() ?? []).map((item) => item.get('name') ?? item),
      ...(whole.get('acls')?.items() ?? []).map((item) => item.get('group')),
    ]
    const own = [
      ...new Set([...(all === undefined ? [] : [all]), ...(members.get(name) ?? []), ...listed.flatMap((item) => group(item) ?? [])]),
    ]
    const principal = draft.add(
      'principals',
      name,
      new DraftEntry()
        .set('kind', 'workload')
        .set('groups', own)
        .from(whole.get('username') ?? whole.get('custom_id') ?? whole, ''),
    )
    if (principal !== undefined) {
      taken.set(name, principal)
      for (const item of whole.get('keyauth_credentials')?.items() ?? []) {
        takeKey(item.get('key'), principal, draft, texts)
        leave(item, {
          ttl: 'a key has a date here: `expires`',
          tags: 'things have no tags here',
          id: 'things have no ids beside their names here',
        })
      }
    }
    leave(whole, leftOfConsumer)
  }
  return { all, groups, consumers: taken }
}

const isOpen = 'clients ask for the model by its name; everybody could ask at this path, and here everybody who has a key can'

/** Plugins that ask who is calling. */
const proofs = new Set([
  'key-auth',
  'key-auth-enc',
  'jwt',
  'openid-connect',
  'oauth2',
  'basic-auth',
  'hmac-auth',
  'ldap-auth',
  'ldap-auth-advanced',
  'mtls-auth',
])

/** Says who may ask for the models of one route. `plugins`: those that are for it. */
export function takeGrant(proxy: TakenProxy, plugins: readonly KongPlugin[], { all, groups }: TakenConsumers, draft: Draft): void {
  const proof = plugins.find(({ name }) => proofs.has(name))
  const acl = plugins.find(({ name }) => name === 'acl')
  const entry = new DraftEntry()
  const named = (key: string): readonly (readonly [string, Foreign])[] =>
    (acl?.get(key)?.items() ?? []).flatMap((item) => {
      const name = groups.get(item.text() ?? '')
      return name === undefined ? [] : [[name, item] as const]
    })
  const [allowed, denied] = [named('allow'), named('deny')]
  if (acl?.get('allow') !== undefined) {
    if (allowed.length > 0)
      entry.set(
        'groups',
        allowed.map(([name]) => name),
      )
    for (const [, item] of allowed) entry.from(item, 'groups')
  } else if (proof === undefined) entry.set('principals', ['*'])
  else if (all !== undefined) entry.set('groups', [all])
  if (entry.value['groups'] !== undefined || entry.value['principals'] !== undefined) {
    const said = proof?.whole.get('name')
    if (said !== undefined)
      entry.from(
        said,
        '',
        proof?.name === 'key-auth'
          ? 'a key is sent as `authorization: Bearer` or `x-api-key`'
          : 'only keys were taken over: who signs in otherwise is for `identity`',
      )
    if (proof === undefined) for (const { whole } of proxy.paths) whole.get('paths')?.left(isOpen)
    if (acl !== undefined) entry.from(acl.whole.get('name') ?? acl.whole, '')
    draft.push('grants', entry.set('models', proxy.names))
  }
  for (const [name, item] of denied)
    draft.push('grants', new DraftEntry().set('groups', [name]).set('forbid', { models: proxy.names }).from(item, 'groups'))
}
