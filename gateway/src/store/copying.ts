/**
 * Moves what one store keeps into another: keys, people, what they sign in with, what directories said of them and secrets of theirs, labels of what tools keep, objects of the configuration that were made over the API, what is stopped, what MCP servers listed last, which of it was approved, and what tokens of ours are signed with. May be repeated: what came or was revoked
 * since is brought along, and nothing of the other store is lost.
 */
import { TurnwardError } from '../core/error.ts'
import { mostWaiting } from './acts.ts'
import type { DirectoryGroup, DirectoryUser, Records } from './directories.ts'
import { mostRevisions } from './config-revisions.ts'
import type { Store } from './store.ts'

export interface CopiedCounts {
  /** Keys that were not there yet. */
  readonly keys: number
  /** Keys that were there and have been revoked since. */
  readonly revoked: number
  readonly listings: number
  /** Approvals of tool definitions. */
  readonly pins: number
  /** Local accounts that were not there yet. */
  readonly accounts: number
  /** Records of directories that were not there yet: people and groups. */
  readonly directories: number
  /** What was stopped and was not stopped there yet. */
  readonly stops: number
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
  const stops = await copyStops(from, to)
  await copyPeople(from, to)
  const accounts = await copyAccounts(from, to)
  const directories = await copyDirectories(from, to)
  await copySecrets(from, to)
  await copyRemembered(from, to)
  await copyConfigRevisions(from, to)
  // Where no gateway runs any more that would put them on record.
  for (const act of await from.acts.unrecorded(mostWaiting)) await to.acts.note(act)
  const known = new Map((await to.listings.list()).map(({ server, seen }) => [server, seen]))
  const newer = (await from.listings.list()).filter(({ server, seen }) => seen > (known.get(server) ?? -Infinity))
  for (const listing of newer) await to.listings.save(listing)
  // Tokens that are about go on being good.
  for (const key of await from.oauthKeys.list()) await to.oauthKeys.add(key)
  const pins = await to.pins.adopt(await from.pins.approvals())
  return { keys, revoked, listings: newer.length, pins, accounts, directories, stops }
}

/** What was stopped would run again otherwise. What was lifted at the target since stays lifted; what was lifted here since is to be lifted there too. */
async function copyStops(from: Store, to: Store): Promise<number> {
  let made = 0
  // Those that end by themselves as well, whatever the time is here.
  for (const stop of await from.stops.standing(0)) if (await to.stops.adopt(stop)) made += 1
  return made
}

/** Those that came since. A target that has gone on by itself keeps what it has. */
async function copyConfigRevisions(from: Store, to: Store): Promise<void> {
  const there = await to.configRevisions.newest()
  const same = there && (await from.configRevisions.find(there.revision))
  if (there !== undefined && (same?.made !== there.made || same.objects !== there.objects)) return
  const newer = (await from.configRevisions.list(undefined, mostRevisions)).filter(({ revision }) => revision > (there?.revision ?? 0))
  for (const { revision } of newer.toReversed()) {
    const found = await from.configRevisions.find(revision)
    if (found !== undefined) await to.configRevisions.adopt(found)
  }
}

/** They stay sealed: both belong to one installation. What was stored at the target itself counts more. */
async function copySecrets(from: Store, to: Store): Promise<void> {
  for (const secret of await from.secrets.list({})) {
    const there = await to.secrets.find(secret)
    if (there === undefined) await to.secrets.write(secret, 0)
    else if (there.id === secret.id && there.version < secret.version) await to.secrets.write(secret, there.version)
  }
}

/** Its label would be lost otherwise, and what was written is still there. */
async function copyRemembered(from: Store, to: Store): Promise<void> {
  for (let rows = await from.remembered.page(undefined, recordsAtOnce); rows.length > 0;) {
    await to.remembered.adopt(rows)
    rows = await from.remembered.page(rows.at(-1), recordsAtOnce)
  }
}

const peopleAtOnce = 500
const recordsAtOnce = 500

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

/** Passwords and codes are kept under the secret of the installation, which is the same at both. */
async function copyAccounts(from: Store, to: Store): Promise<number> {
  let made = 0
  for (const account of await from.accounts.list()) if ((await to.accounts.adopt(account)) === 'new') made += 1
  return made
}

/** A directory goes on from its own ids; what it has said at the target itself later counts more. */
async function copyDirectories(from: Store, to: Store): Promise<number> {
  let made = 0
  for (const source of await from.directories.sources()) {
    made += await copyRecords(source, from.directories.users, to.directories.users)
    made += await copyRecords(source, from.directories.groups, to.directories.groups)
  }
  return made
}

async function copyRecords<R extends DirectoryUser | DirectoryGroup>(source: string, from: Records<R>, to: Records<R>): Promise<number> {
  let made = 0
  for (let offset = 0; ; offset += recordsAtOnce) {
    const records = await from.page(source, offset, recordsAtOnce)
    for (const record of records) {
      const there = await to.find(source, record.id)
      if (there === undefined) made += (await to.add(record)) ? 1 : 0
      else if (there.changed < record.changed) await to.replace({ ...record, version: there.version + 1 })
    }
    if (records.length < recordsAtOnce) return made
  }
}
