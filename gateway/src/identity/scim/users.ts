/** `/scim/v2/Users`: people as a directory makes, changes and removes them. */
import type { JsonObject } from '../../core/json.ts'
import { newId } from '../../core/ids.ts'
import { TurnwardError } from '../../core/error.ts'
import type { DirectoryUser } from '../../store/directories.ts'
import { declaredAs, userKey } from '../people/declared-people.ts'
import { groupsOf, type ScimWork } from './directory.ts'
import { meets, requiredValue, type Filter } from './filter.ts'
import { listAnswer, pageOfMatches, type ListQuery } from './pages.ts'
import { applyPatch, readPatch } from './patch.ts'
import { ScimError } from './scim-error.ts'
import { identifyingValue, readUser, userResource, type ReadUser } from './user-resource.ts'

/** Makes a person, or takes over one that this directory's issuer has named. Rejects with 409 where it may not. */
export async function createUser(work: ScimWork, resource: JsonObject): Promise<DirectoryUser> {
  const user = readUser(resource)
  const { store, directory, clock } = work
  const person = personOf(work, user)
  if ((await store.directories.users.findByName(directory.name, nameKey(user))) !== undefined) throw taken('there is a user of this name')
  await takePerson(work, person, user)
  const now = clock.now()
  const { userName: _, externalId, attributes } = user
  const made: DirectoryUser = {
    id: newId('usr'),
    source: directory.name,
    person,
    nameKey: nameKey(user),
    externalId,
    attributes: JSON.stringify(attributes),
    created: now,
    changed: now,
    version: 1,
  }
  if (!(await store.directories.users.add(made))) throw taken('there is a user of this name')
  return made
}

/** Rejects with 404. */
export async function findUser({ store, directory }: ScimWork, id: string): Promise<DirectoryUser> {
  const user = await store.directories.users.find(directory.name, id)
  if (user === undefined) throw new ScimError(404, 'There is no such user')
  return user
}

export async function listUsers(work: ScimWork, query: ListQuery): Promise<JsonObject> {
  const { store, directory, base } = work
  const { users } = store.directories
  const { filter, startIndex, count } = query
  const shown = (found: readonly DirectoryUser[], total: number): JsonObject =>
    listAnswer(
      found.map((user) => userResource(user, base)),
      total,
      query,
    )
  if (filter === undefined) {
    const [total, page] = await Promise.all([users.count(directory.name), users.page(directory.name, startIndex - 1, count)])
    return shown(page, total)
  }
  const isMeant = (user: DirectoryUser): boolean => meets(userResource(user, base), filter)
  const some = await byIndex(work, filter)
  if (some !== undefined) {
    const found = some.filter(isMeant)
    return shown(found.slice(startIndex - 1, startIndex - 1 + count), found.length)
  }
  const { found, total } = await pageOfMatches((offset, limit) => users.page(directory.name, offset, limit), isMeant, query)
  return shown(found, total)
}

/** Whom an index finds, where the filter requires one value of what is indexed. */
async function byIndex({ store, directory }: ScimWork, filter: Filter): Promise<readonly DirectoryUser[] | undefined> {
  const { users } = store.directories
  const listOf = (user: DirectoryUser | undefined): readonly DirectoryUser[] => (user === undefined ? [] : [user])
  const userName = requiredValue(filter, 'userName')
  if (userName !== undefined) return listOf(await users.findByName(directory.name, userName.toLowerCase()))
  const externalId = requiredValue(filter, 'externalId')
  if (externalId !== undefined) return users.findByExternalId(directory.name, externalId)
  const id = requiredValue(filter, 'id')
  return id === undefined ? undefined : listOf(await users.find(directory.name, id))
}

/** Puts what the directory says now in the place of what it said before. Rejects with 404, 409 or 412. */
export function replaceUser(work: ScimWork, id: string, resource: JsonObject, version: number | undefined): Promise<DirectoryUser> {
  return changeUser(work, id, version, () => resource)
}

export function patchUser(work: ScimWork, id: string, body: JsonObject, version: number | undefined): Promise<DirectoryUser> {
  const operations = readPatch(body)
  return changeUser(work, id, version, (before) => applyPatch(before, operations))
}

/** Whoever changes at the same time is waited for this often. */
const mostTries = 5

async function changeUser(
  work: ScimWork,
  id: string,
  version: number | undefined,
  change: (before: JsonObject) => JsonObject,
): Promise<DirectoryUser> {
  const { store, clock, directory, base } = work
  for (let tries = 0; tries < mostTries; tries += 1) {
    const before = await findUser(work, id)
    if (version !== undefined && before.version !== version) throw changedMeanwhile()
    const was = readUser(userResource(before, base))
    const user = readUser(change(userResource(before, base)))
    if (userKey(identifyingValue(user, directory.user)) !== userKey(identifyingValue(was, directory.user)))
      throw new ScimError(
        400,
        `\`${directory.user}\` is what the person is known by and cannot be changed: delete and create`,
        'mutability',
      )
    const next: DirectoryUser = {
      ...before,
      nameKey: nameKey(user),
      externalId: user.externalId,
      attributes: JSON.stringify(user.attributes),
      changed: clock.now(),
      version: before.version + 1,
    }
    const outcome = await store.directories.users.replace(next)
    if (outcome === 'taken') throw taken('there is a user of this name')
    if (outcome === 'stale') continue
    await store.people.change(before.person, { name: user.name, emails: user.emails }, clock.now())
    // What an administrator decided stays until the directory says something else than before.
    if (user.active !== was.active) await store.people.setActive(before.person, user.active, clock.now())
    return next
  }
  throw changedMeanwhile()
}

/** The person is shut out, their keys are revoked, and nothing that the directory gave is left. The person stays on record. */
export async function removeUser(work: ScimWork, id: string): Promise<void> {
  const { store, directory, clock } = work
  const user = await findUser(work, id)
  const now = clock.now()
  await store.people.setActive(user.person, false, now)
  await store.people.setGroups(user.person, groupsOf(directory), [], now)
  for (const key of await store.keys.list()) if (key.principal === user.person && key.revoked === null) await store.keys.revoke(key.id, now)
  await store.directories.users.remove(directory.name, id)
}

/** The id of the principal that a user of the directory is. */
function personOf({ directory, snapshot }: ScimWork, user: ReadUser): string {
  const value = identifyingValue(user, directory.user)
  try {
    return declaredAs(value, directory.issuer, snapshot)?.id ?? userKey(value)
  } catch (error) {
    if (error instanceof TurnwardError && error.code === 'auth.other_issuer') throw taken(error.message)
    throw error
  }
}

/** The person exists from now on, and is as the directory says. */
async function takePerson(work: ScimWork, id: string, user: ReadUser): Promise<void> {
  const { store, directory, clock, snapshot } = work
  const { name, emails, active } = user
  const now = clock.now()
  const { issuer } = directory
  const before = await store.people.find(id)
  if (before === undefined) {
    const person = { id, issuer, subject: null, kind: 'human', name, emails, active, roles: [], created: now, seen: null } as const
    // Whoever signs in at this moment makes the person, and whose they are is looked at again.
    return (await store.people.add(person, now)) ? undefined : takePerson(work, id, user)
  }
  if (before.issuer !== issuer && (before.issuer !== null || !snapshot.principals.has(id)))
    throw taken('somebody of another issuer is known by this')
  await store.people.change(id, { issuer, name, emails }, now)
  if (before.active !== active) await store.people.setActive(id, active, now)
}

function nameKey({ userName }: Pick<ReadUser, 'userName'>): string {
  return userName.toLowerCase()
}

function taken(why: string): ScimError {
  return new ScimError(409, why, 'uniqueness')
}

function changedMeanwhile(): ScimError {
  return new ScimError(412, 'The resource has been changed meanwhile')
}
