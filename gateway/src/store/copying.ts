/**
 * Moves what one store keeps into another: keys, people and secrets of theirs, what MCP servers listed last, which of it was approved, and what tokens of ours are signed with. May be repeated: what came or was revoked
 * since is brought along, and nothing of the other store is lost.
 */
import { TurnwardError } from '../core/error.ts'
import type { Store } from './store.ts'

export interface CopiedCounts {
  /** Keys that were not there yet. */
  readonly keys: number
  /** Keys that were there and have been revoked since. */
  readonly revoked: number
  readonly listings: number
  /** Approvals of tool definitions. */
  readonly pins: number
}

/** Copies; resolves with what was new. Rejects with `store.failed`, also when both have different keys under one id. */
export async function copyStore(from: Store, to: Store): Promise<CopiedCounts> {
  if (!from.secret.equals(to.secret))
    throw new TurnwardError('store.failed', {
      why: 'the two belong to different installations: the hashes of their keys are made with different secrets',
      fix: 'Copy into an empty database, before a gateway has run on it.',
    })
  let keys = 0
  let revoked = 0
  for (const key of await from.keys.list()) {
    const there = await to.keys.findById(key.id)
    if (there === undefined) {
      await to.keys.insert(key)
      keys += 1
    } else if (key.previous?.hash === there.hash) await to.keys.rotate(key.id, there.hash, { ...key, until: key.previous.until })
    else if (there.hash !== key.hash && there.previous?.hash !== key.hash)
      throw new TurnwardError('store.failed', { subject: key.id, why: 'the target has another key under this id' })
    if (there !== undefined && key.revoked !== null && there.revoked === null && (await to.keys.revoke(key.id, key.revoked))) revoked += 1
  }
  await copyPeople(from, to)
  await copySecrets(from, to)
  const known = new Map((await to.listings.list()).map(({ server, seen }) => [server, seen]))
  const newer = (await from.listings.list()).filter(({ server, seen }) => seen > (known.get(server) ?? -Infinity))
  for (const listing of newer) await to.listings.save(listing)
  // Tokens that are about go on being good.
  for (const key of await from.oauthKeys.list()) await to.oauthKeys.add(key)
  const pins = await to.pins.adopt(await from.pins.approvals())
  return { keys, revoked, listings: newer.length, pins }
}

/** They stay sealed: both belong to one installation. What was stored at the target itself counts more. */
async function copySecrets(from: Store, to: Store): Promise<void> {
  for (const secret of await from.secrets.list({})) {
    const there = await to.secrets.find(secret)
    if (there === undefined) await to.secrets.write(secret, 0)
    else if (there.id === secret.id && there.version < secret.version) await to.secrets.write(secret, there.version)
  }
}

const peopleAtOnce = 500

/** Who was shut out stays shut out; whoever is on record at the target already keeps what stands there, and loses no group. */
async function copyPeople(from: Store, to: Store): Promise<void> {
  for (let after = ''; ;) {
    const people = await from.people.list(after, peopleAtOnce)
    for (const { groups, changed, ...person } of people) {
      await to.people.add(person, changed)
      if (!person.active && (await to.people.find(person.id))?.active === true) await to.people.setActive(person.id, false, changed)
      for (const { origin, group } of groups) await to.people.addMembers(origin, group, [person.id], changed)
    }
    const last = people.at(-1)
    if (last === undefined || people.length < peopleAtOnce) return
    after = last.id
  }
}
