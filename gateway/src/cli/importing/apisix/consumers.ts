/** Consumers, their groups and their keys; and which of them may ask for what. */
import type { Draft } from '../gateways/draft.ts'
import { DraftEntry } from '../gateways/draft-entry.ts'
import type { ForeignTexts } from '../gateways/foreign-text.ts'
import { leave, type Foreign } from '../gateways/foreign-value.ts'
import { takeKey } from '../gateways/taking-key.ts'
import { leftOfConsumer } from './left-out.ts'
import { consumerName, type ApisixPlugin } from './plugins.ts'
import type { TakenProxy } from './proxies.ts'

export interface TakenConsumers {
  /** The group of all of them. */
  readonly all: string | undefined
  /** Id there -> group. */
  readonly groups: ReadonlyMap<string, string>
  /** Name there -> name of the principal, which is the name of the consumer too. */
  readonly consumers: ReadonlyMap<string, string>
}

export function takeConsumers(root: Foreign, draft: Draft, texts: ForeignTexts): TakenConsumers {
  const groups = new Map<string, string>()
  for (const whole of root.get('consumer_groups')?.items() ?? []) {
    const id = whole.get('id')
    const taken = id?.text() === undefined ? undefined : draft.add('groups', id.text() ?? '', new DraftEntry().from(id, ''))
    if (taken !== undefined) groups.set(id?.text() ?? '', taken)
    leave(whole, leftOfConsumer)
  }
  const items = root.get('consumers')?.items() ?? []
  const named = items.filter((whole) => whole.get('username') !== undefined)
  const all = named.length === 0 ? undefined : draft.add('groups', 'apisix-consumers', new DraftEntry())
  const consumers = new Map<string, string>()
  for (const whole of named) {
    const username = whole.get('username')
    const group = whole.get('group_id')
    const own = groups.get(group?.text() ?? '')
    const entry = new DraftEntry().set('kind', 'workload').set(
      'groups',
      [all, own].filter((name) => name !== undefined),
    )
    if (username !== undefined) entry.from(username, '')
    if (group !== undefined && own !== undefined) entry.from(group, 'groups')
    const principal = draft.add('principals', username?.text() ?? '', entry)
    if (principal !== undefined) consumers.set(username?.text() ?? '', principal)
  }
  for (const whole of items) {
    const principal = consumers.get(consumerName(whole) ?? '')
    if (principal !== undefined) takeKey(whole.within('plugins', 'key-auth', 'key'), principal, draft, texts)
    leave(whole, leftOfConsumer)
  }
  return { all, groups, consumers }
}

/** Plugins that ask who is calling. */
const proofs = new Set([
  'key-auth',
  'jwt-auth',
  'openid-connect',
  'basic-auth',
  'hmac-auth',
  'ldap-auth',
  'multi-auth',
  'wolf-rbac',
  'jwe-decrypt',
])

const isOpen = 'clients ask for the model by its name; everybody could ask at this path, and here everybody who has a key can'

/** Says who may ask for the models of one route. `plugins`: those that are for it, and for no consumer. */
export function takeGrant(
  proxy: TakenProxy,
  plugins: readonly ApisixPlugin[],
  { all, groups, consumers }: TakenConsumers,
  draft: Draft,
): void {
  const proof = plugins.find(({ name }) => proofs.has(name))
  const restriction = plugins.find(({ name }) => name === 'consumer-restriction')?.config
  const type = restriction?.get('type')
  const isGroups = type?.text() === 'consumer_group_id'
  const isKnown = isGroups || (type?.text() ?? 'consumer_name') === 'consumer_name'
  const listed = (key: string): readonly (readonly [string, Foreign])[] =>
    (isKnown ? (restriction?.get(key)?.items() ?? []) : []).flatMap((item) => {
      const name = (isGroups ? groups : consumers).get(item.text() ?? '')
      return name === undefined ? [] : [[name, item] as const]
    })
  const section = isGroups ? 'groups' : 'principals'
  const [allowed, denied] = [listed('whitelist'), listed('blacklist')]
  const isListed = restriction?.get('whitelist') !== undefined || !isKnown
  const entry = new DraftEntry()
  if (isListed) {
    if (allowed.length > 0)
      entry.set(
        section,
        allowed.map(([name]) => name),
      )
    for (const [, item] of allowed) entry.from(item, section)
    if (type !== undefined && isKnown) entry.from(type, section)
  } else if (proof === undefined) entry.set('principals', ['*'])
  else if (all !== undefined) entry.set('groups', [all])
  if (proof === undefined) for (const { whole } of proxy.routes) for (const key of ['uri', 'uris']) whole.get(key)?.left(isOpen)
  if (entry.value['groups'] !== undefined || entry.value['principals'] !== undefined) draft.push('grants', entry.set('models', proxy.names))
  for (const [name, item] of denied) {
    const forbidding = new DraftEntry().set(section, [name]).set('forbid', { models: proxy.names }).from(item, section)
    draft.push('grants', type === undefined ? forbidding : forbidding.from(type, section))
  }
}
